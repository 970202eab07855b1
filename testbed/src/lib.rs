//! What the tests of the workspace stand on: real programs on free ports (Redis, HAProxy, nginx), and a proxy
//! that breaks the connections which pass through it. It knows nothing of chat.

mod legacy;
mod load_balancer;
mod program;
mod proxy;
mod redis_connection;
mod redis_server;

pub use legacy::group;
pub use load_balancer::{Backend, Brand, LoadBalancer, LoadBalancerOptions};
pub use program::free_port;
pub use proxy::{Direction, Proxy, Wire};
pub use redis_connection::{RedisConnection, Reply};
pub use redis_server::{RedisOptions, RedisServer};
