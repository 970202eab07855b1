//! What a backend is told of a client before its first byte, byte by byte as the specification has it.

use std::net::Ipv6Addr;

use super::*;
use crate::support::TestNode;

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// What stands in front of a client's bytes, when it comes from one address to another.
fn header(from: SocketAddr, to: SocketAddr) -> Vec<u8> {
    let ports = [from.port().to_be_bytes(), to.port().to_be_bytes()].concat();
    let (family, addresses) = match (from, to) {
        (SocketAddr::V4(from), SocketAddr::V4(to)) => {
            (&b"\x21\x11\0\x0c"[..], [from.ip().octets(), to.ip().octets()].concat())
        }
        (SocketAddr::V6(from), SocketAddr::V6(to)) => {
            (&b"\x21\x21\0\x24"[..], [from.ip().octets(), to.ip().octets()].concat())
        }
        _ => panic!("two families"),
    };
    [SIGNATURE, family, &addresses, &ports].concat()
}

/// A backend whose two ports the test plays.
async fn listen() -> (TcpListener, TcpListener, Backend) {
    let tcp = TcpListener::bind(ANY_PORT).await.unwrap();
    let (backend, http) = Node::with_http(tcp.local_addr().unwrap().port()).await;
    (tcp, http, backend)
}

async fn accept(listener: &TcpListener) -> TcpStream {
    within(listener.accept()).await.unwrap().0
}

/// The check of both ports: these bytes come first on each of them.
async fn checked(tcp: &TcpListener, http: &TcpListener, first: &[u8]) {
    let mut check = accept(http).await;
    read_exactly(&mut check, &[first, b"GET /ready HTTP/1.1\r\n"].concat()).await;
    check.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    // Or its last words, which were not read, would make this a reset.
    check.shutdown().await.unwrap();
    drop(within(check.read_to_end(&mut Vec::new())).await);
    let mut said = Vec::new();
    within(accept(tcp).await.read_to_end(&mut said)).await.unwrap();
    assert_eq!(said, first);
}

#[tokio::test]
async fn the_client_is_named_before_its_first_byte() {
    let any_v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, 0));
    for listen_tcp in [ANY_PORT, any_v6] {
        let (tcp, http, backend) = listen().await;
        let front = Front::with(vec![backend], |config| {
            config.send_proxy = true;
            config.listen_tcp = Some(listen_tcp);
            config.check.every = NEVER;
        });
        // The check comes first: it is the front-end's own connection.
        checked(&tcp, &http, &[SIGNATURE, b"\x20\0\0\0"].concat()).await;
        let mut client = connect(front.tcp).await;
        let mut server = accept(&tcp).await;
        read_exactly(&mut server, &header(client.local_addr().unwrap(), front.tcp)).await;
        talks(&mut client, &mut server).await;
        let mut client = connect(front.http).await;
        client.write_all(b"GET /ws").await.unwrap();
        let mut server = accept(&http).await;
        read_exactly(&mut server, &header(client.local_addr().unwrap(), front.http)).await;
        read_exactly(&mut server, b"GET /ws").await;
    }
}

#[tokio::test]
async fn without_being_asked_nothing_is_told() {
    let (tcp, http, backend) = listen().await;
    let front = Front::with(vec![backend], |config| config.check.every = NEVER);
    checked(&tcp, &http, b"").await;
    let mut client = connect(front.tcp).await;
    let mut server = accept(&tcp).await;
    talks(&mut client, &mut server).await;
}

/// A client that comes from this address of the loopback.
async fn connect_from(from: [u8; 4], to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from((from, 0))).unwrap();
    within(socket.connect(to)).await.unwrap()
}

#[tokio::test]
async fn a_node_counts_the_clients_of_the_front_end_by_their_own_addresses() {
    let node = TestNode::with(|config| {
        config.proxy_protocol_from = "127.0.0.1/32".parse().unwrap();
        config.limits.connections_per_address = 1;
    });
    let backend =
        Backend { host: "127.0.0.1".into(), tcp: Some(node.tcp.port()), http: Some(node.http.port()) };
    let front = Front::with(vec![backend], |config| config.send_proxy = true);
    // Its checks are connections of its own.
    front.has_healthy(1).await;
    let mut answers = Vec::new();
    let mut kept = Vec::new();
    for from in [[127, 0, 0, 2], [127, 0, 0, 3], [127, 0, 0, 2]] {
        let mut client = connect_from(from, front.tcp).await;
        client.write_all(b"{\"type\":\"ping\"}\n").await.unwrap();
        let mut answer = [0];
        answers.push(within(client.read(&mut answer)).await.is_ok_and(|count| count == 1));
        kept.push(client);
    }
    assert_eq!(answers, [true, true, false], "one of each address");
}
