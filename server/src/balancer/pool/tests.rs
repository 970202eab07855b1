use super::*;

fn backend(text: &str) -> Backend {
    text.parse().unwrap()
}

fn leased(handle: &BackendsHandle, tried: &mut Tried) -> Option<String> {
    // The place is kept: a leaked lease is a connection that lives on.
    handle.lease(tried).map(|lease| {
        let name = lease.backend().to_string();
        std::mem::forget(lease);
        name
    })
}

#[test]
fn a_backend_reads_as_it_is_written() {
    for text in ["node-1:12345:8000", "10.0.0.7:1:2", "[::1]:12345:8000"] {
        assert_eq!(backend(text).to_string(), text);
    }
    for text in [
        "",
        "node-1",
        "node-1:12345",
        ":1:2",
        "::1:1:2",
        "a b:1:2",
        "node-1:0:8000",
        "node-1:1:70000",
        "[::1:1:2",
    ] {
        assert_eq!(text.parse::<Backend>(), Err(BackendError), "{text:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_puts_a_backend_last_for_a_while() {
    let handle = BackendsHandle::new(vec![backend("a:1:1"), backend("b:1:1")]);
    handle.lease(&mut Tried::default()).unwrap().refused();
    assert_eq!(leased(&handle, &mut Tried::default()).as_deref(), Some("b:1:1"), "a refused");
    assert_eq!(leased(&handle, &mut Tried::default()).as_deref(), Some("b:1:1"), "however full b is");
    tokio::time::advance(REFUSED_HOLD).await;
    assert_eq!(leased(&handle, &mut Tried::default()).as_deref(), Some("a:1:1"), "a has another chance");
}

#[tokio::test(start_paused = true)]
async fn one_connection_at_a_time_tries_who_refused_until_it_is_accepted() {
    let handle = BackendsHandle::new(vec![backend("a:1:1"), backend("b:1:1")]);
    handle.lease(&mut Tried::default()).unwrap().refused();
    tokio::time::advance(REFUSED_HOLD).await;
    let trial = handle.lease(&mut Tried::default()).unwrap();
    assert_eq!(trial.backend(), &backend("a:1:1"));
    for _ in 0..3 {
        assert_eq!(leased(&handle, &mut Tried::default()).as_deref(), Some("b:1:1"), "the trial goes on");
    }
    trial.accepted();
    assert_eq!(leased(&handle, &mut Tried::default()).as_deref(), Some("a:1:1"), "the trial went well");
}

#[test]
fn a_dropped_lease_gives_its_place_back() {
    let handle = BackendsHandle::new(vec![backend("a:1:1")]);
    let lease = handle.lease(&mut Tried::default()).unwrap();
    assert_eq!(handle.loads(), [(backend("a:1:1"), 1)]);
    drop(lease);
    assert_eq!(handle.loads(), [(backend("a:1:1"), 0)]);
}

#[test]
fn replacing_the_list_keeps_the_counts_of_who_stays() {
    let handle = BackendsHandle::new(vec![backend("a:1:1"), backend("b:1:1")]);
    leased(&handle, &mut Tried::default());
    handle.set(vec![backend("c:1:1"), backend("a:1:1")]);
    handle.add(backend("a:1:1"));
    assert_eq!(handle.loads(), [(backend("c:1:1"), 0), (backend("a:1:1"), 1)]);
}

#[test]
fn a_connection_tries_each_backend_once_and_those_that_came_meanwhile() {
    let handle = BackendsHandle::new(vec![backend("a:1:1")]);
    let mut tried = Tried::default();
    assert_eq!(leased(&handle, &mut tried).as_deref(), Some("a:1:1"));
    assert_eq!(leased(&handle, &mut tried), None);
    handle.add(backend("b:1:1"));
    assert_eq!(leased(&handle, &mut tried).as_deref(), Some("b:1:1"));
    assert_eq!(leased(&handle, &mut tried), None);
}
