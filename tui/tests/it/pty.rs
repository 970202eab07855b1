//! The terminal that tests look at.

pub(crate) use chat_testbed::Terminal;
