//! What the tests of the workspace stand on: real Redis servers on free ports, and a proxy that breaks the
//! connections which pass through it. It knows nothing of chat.

mod proxy;
mod redis_connection;
mod redis_server;

pub use proxy::{Direction, Proxy, Wire};
pub use redis_connection::{RedisConnection, Reply};
pub use redis_server::{RedisOptions, RedisServer, free_port};
