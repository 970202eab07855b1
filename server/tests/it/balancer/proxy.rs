//! What a backend is told of a client before its first byte, byte by byte as the specification has it.

use std::net::Ipv6Addr;

use super::*;

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

async fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind(ANY_PORT).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

#[tokio::test]
async fn the_client_is_named_before_its_first_byte() {
    let any_v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, 0));
    for listen_tcp in [ANY_PORT, any_v6] {
        let (listener, port) = listen().await;
        let backend = Backend { host: "127.0.0.1".into(), tcp: Some(port), http: Some(port) };
        let front = Front::with(vec![backend], |config| {
            config.send_proxy = true;
            config.listen_tcp = Some(listen_tcp);
            config.check.every = NEVER;
        });
        // The check comes first: it is the front-end's own connection.
        let mut check = within(listener.accept()).await.unwrap().0;
        read_exactly(&mut check, &[SIGNATURE, b"\x20\0\0\0GET /ready HTTP/1.1\r\n"].concat()).await;
        let mut client = connect(front.tcp).await;
        let mut server = within(listener.accept()).await.unwrap().0;
        read_exactly(&mut server, &header(client.local_addr().unwrap(), front.tcp)).await;
        talks(&mut client, &mut server).await;
        let mut client = connect(front.http).await;
        client.write_all(b"GET /ws").await.unwrap();
        let mut server = within(listener.accept()).await.unwrap().0;
        read_exactly(&mut server, &header(client.local_addr().unwrap(), front.http)).await;
        read_exactly(&mut server, b"GET /ws").await;
    }
}

#[tokio::test]
async fn without_being_asked_nothing_is_told() {
    let (listener, port) = listen().await;
    let backend = Backend { host: "127.0.0.1".into(), tcp: Some(port), http: Some(port) };
    let front = Front::with(vec![backend], |config| config.check.every = NEVER);
    let mut check = within(listener.accept()).await.unwrap().0;
    read_exactly(&mut check, b"GET /ready HTTP/1.1\r\n").await;
    let mut client = connect(front.tcp).await;
    let mut server = within(listener.accept()).await.unwrap().0;
    talks(&mut client, &mut server).await;
}
