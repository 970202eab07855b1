//! Real load balancers on the shipped configurations.

use std::net::{Ipv4Addr, SocketAddr};

use chat_testbed::{Backend, Brand, LoadBalancer, LoadBalancerOptions, free_port};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::within;

const BRANDS: [Brand; 2] = [Brand::HaProxy, Brand::Nginx];

/// What each shipped file has as a comment.
const HAPROXY_OPTIONS: [&str; 3] = [
    "default-server send-proxy-v2",
    "cookie NODE insert indirect nocache httponly dynamic",
    "dynamic-cookie-key chat",
];

/// A server that says its name to whoever comes: as a line, or as an answer to any HTTP request.
struct Named {
    backend: Backend,
    _tasks: JoinSet<()>,
}

impl Named {
    async fn start(name: &'static str) -> Self {
        let [tcp, http] = [listener().await, listener().await];
        let backend = Backend { tcp: tcp.local_addr().unwrap(), http: http.local_addr().unwrap() };
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(tcp, format!("{name}\n")));
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{name}\n", name.len() + 1);
        tasks.spawn(serve(http, answer));
        Self { backend, _tasks: tasks }
    }
}

async fn listener() -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap()
}

async fn serve(listener: TcpListener, words: String) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        // HTTP asks first; who speaks lines ends its half. A probe may be gone by now.
        drop(stream.read(&mut [0; 4_096]).await);
        drop(stream.write_all(words.as_bytes()).await);
        drop(stream.shutdown().await);
    }
}

fn nobody() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, free_port().unwrap()))
}

async fn ask(addr: SocketAddr, request: &str) -> String {
    within("an answer", async {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    })
    .await
}

#[tokio::test]
async fn both_ports_lead_to_a_backend_that_lives() {
    for brand in BRANDS {
        let named = Named::start("one").await;
        let dead = Backend { tcp: nobody(), http: nobody() };
        let options = LoadBalancerOptions::new(brand, [dead, named.backend]);
        let balancer = LoadBalancer::start(options).await.unwrap();
        for _ in 0..3 {
            let line = ask(balancer.tcp(), "hi\n").await;
            assert_eq!(line, "one\n", "{brand:?}: {}", balancer.log());
            let answer = ask(balancer.http(), "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
            assert!(answer.ends_with("one\n"), "{brand:?}: {answer}: {}", balancer.log());
        }
        let metrics =
            ask(balancer.http(), "GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
        assert!(metrics.starts_with("HTTP/1.1 404"), "{brand:?}: {metrics}");
        let (tcp, http) = (balancer.tcp(), balancer.http());
        drop(balancer);
        for addr in [tcp, http] {
            assert!(TcpStream::connect(addr).await.is_err(), "{brand:?} still listens");
        }
    }
}

#[test]
fn the_shipped_files_and_their_options_are_sound() {
    for brand in BRANDS {
        let backends = [(); 3].map(|()| Backend { tcp: nobody(), http: nobody() });
        let mut options = LoadBalancerOptions::new(brand, backends);
        let said = LoadBalancer::check(&options).unwrap();
        assert!(!said.contains("[WARNING]") && !said.contains("[warn]"), "{said}");
        let lines = if brand == Brand::HaProxy { &HAPROXY_OPTIONS[..] } else { &["proxy_protocol on;"] };
        for line in lines {
            options = options.uncomment(line);
        }
        let said = LoadBalancer::check(&options).unwrap();
        assert!(!said.contains("[WARNING]") && !said.contains("[warn]"), "{said}");
    }
}

#[tokio::test]
async fn a_wrong_configuration_is_told_with_what_the_program_said() {
    let backend = Backend { tcp: nobody(), http: nobody() };
    for (brand, from, to, said) in [
        (Brand::HaProxy, "retries 3", "retires 3", "unknown keyword 'retires'"),
        (Brand::Nginx, "least_conn", "most_conn", "unknown directive \"most_conn\""),
    ] {
        let options = LoadBalancerOptions::new(brand, [backend]).replace(from, to);
        let error = LoadBalancer::start(options.clone()).await.unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
        let error = LoadBalancer::check(&options).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    let options = LoadBalancerOptions::new(Brand::Nginx, [backend]).uncomment("no such line");
    let error = LoadBalancer::start(options).await.unwrap_err().to_string();
    assert!(error.contains("does not hold"), "{error}");
}
