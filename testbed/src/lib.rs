//! What the tests of the workspace stand on: real programs on free ports (Redis, HAProxy, nginx), a proxy that
//! breaks the connections which pass through it, a pseudo-terminal, and what processes cost. It knows nothing of chat.

mod figures;
mod legacy;
mod load_balancer;
mod program;
mod proxy;
mod redis_connection;
mod redis_server;
mod terminal;
mod usage;

pub use figures::{most_in_a_second, percentile};
pub use legacy::group;
pub use load_balancer::{Backend, Brand, LoadBalancer, LoadBalancerOptions};
pub use program::free_port;
pub use proxy::{Direction, Proxy, Wire};
pub use redis_connection::{RedisConnection, Reply};
pub use redis_server::{RedisOptions, RedisServer};
pub use terminal::{Output, Terminal};
pub use usage::Usage;
