use std::io;

use super::*;

fn backend(text: &str) -> Backend {
    text.parse().unwrap()
}

fn pool(primaries: &[&str], backups: &[&str]) -> BackendsHandle {
    let all = |texts: &[&str]| texts.iter().map(|text| backend(text)).collect();
    BackendsHandle::new(Policy::default(), all(primaries), all(backups))
}

fn leased(handle: &BackendsHandle, tried: &mut Tried) -> Option<String> {
    // The place is kept: a leaked lease is a connection that lives on.
    handle.lease(Port::Tcp, tried).map(|lease| {
        let name = lease.backend.to_string();
        std::mem::forget(lease);
        name
    })
}

fn next(handle: &BackendsHandle) -> Option<String> {
    leased(handle, &mut Tried::default())
}

fn refusal() -> io::Error {
    io::ErrorKind::ConnectionRefused.into()
}

#[test]
fn who_refused_gets_no_more_clients_until_checks_find_it_well() {
    let handle = pool(&["a:1:1", "b:1:1"], &[]);
    handle.lease(Port::Tcp, &mut Tried::default()).unwrap().refused(&refusal());
    assert_eq!(next(&handle).as_deref(), Some("b:1:1"), "a refused");
    assert_eq!(next(&handle).as_deref(), Some("b:1:1"), "however full b is");
    let (a, check) = (handle.all().swap_remove(0), Check::default());
    a.checked(Found::Ready, &check);
    assert_eq!(next(&handle).as_deref(), Some("b:1:1"), "one good check is not enough");
    a.checked(Found::Ready, &check);
    assert_eq!(next(&handle).as_deref(), Some("a:1:1"));
    assert_eq!((a.tally.refusals.sum(), a.tally.ejections.sum(), a.tally.picks.sum()), (1, 1, 2));
}

#[test]
fn backups_wait_until_no_primary_is_healthy() {
    let handle = pool(&["a:1:1"], &["b:1:1"]);
    assert_eq!((next(&handle), next(&handle)), (Some("a:1:1".into()), Some("a:1:1".into())));
    handle.all()[0].refused(&refusal());
    assert_eq!(next(&handle).as_deref(), Some("b:1:1"));
    handle.set(vec![backend("c:1:1")]);
    assert_eq!(next(&handle).as_deref(), Some("c:1:1"), "backups stay when primaries are replaced");
    assert_eq!(handle.loads(), [(backend("b:1:1"), 1), (backend("c:1:1"), 1)]);
}

#[test]
fn where_all_refuse_all_are_tried_and_one_that_takes_clients_again_comes_first() {
    let handle = pool(&["a:1:1", "b:1:1"], &[]);
    handle.all().iter().for_each(|upstream| upstream.refused(&refusal()));
    let mut tried = Tried::default();
    assert_eq!(leased(&handle, &mut tried).as_deref(), Some("a:1:1"));
    assert_eq!(leased(&handle, &mut tried).as_deref(), Some("b:1:1"));
    handle.all()[1].accepted();
    assert_eq!(next(&handle).as_deref(), Some("b:1:1"));
    assert_eq!(next(&handle).as_deref(), Some("b:1:1"), "however full it is");
}

#[test]
fn who_does_not_have_the_port_is_not_asked() {
    let handle = pool(&["a:off:1", "b:1:off"], &[]);
    assert_eq!(next(&handle).as_deref(), Some("b:1:off"));
    assert!(handle.lease(Port::Http, &mut Tried::default()).is_some_and(|lease| lease.backend.host == "a"));
}

#[test]
fn a_dropped_lease_gives_its_place_back() {
    let handle = pool(&["a:1:1"], &[]);
    let lease = handle.lease(Port::Tcp, &mut Tried::default()).unwrap();
    assert_eq!(handle.loads(), [(backend("a:1:1"), 1)]);
    drop(lease);
    assert_eq!(handle.loads(), [(backend("a:1:1"), 0)]);
}

#[test]
fn replacing_the_list_keeps_the_counts_of_who_stays() {
    let handle = pool(&["a:1:1", "b:1:1"], &[]);
    next(&handle);
    handle.set(vec![backend("c:1:1"), backend("a:1:1")]);
    handle.add(backend("a:1:1"));
    assert_eq!(handle.loads(), [(backend("c:1:1"), 0), (backend("a:1:1"), 1)]);
}

#[tokio::test]
async fn who_comes_is_checked_and_who_goes_is_not_any_more() {
    let handle = pool(&["a:1:1"], &["b:1:1"]);
    let names = |all: Vec<Arc<Upstream>>| -> Vec<String> {
        all.iter().map(|upstream| upstream.backend.to_string()).collect()
    };
    let first = handle.unchecked().await;
    handle.set(vec![backend("c:1:1"), backend("d:1:1")]);
    handle.set(vec![backend("d:1:1")]);
    assert!(first[0].retired.is_cancelled() && !first[1].retired.is_cancelled());
    assert_eq!(names(first), ["a:1:1", "b:1:1"]);
    assert_eq!(names(handle.unchecked().await), ["d:1:1"]);
}

#[test]
fn a_connection_tries_each_backend_once_and_those_that_came_meanwhile() {
    let handle = pool(&["a:1:1"], &[]);
    let mut tried = Tried::default();
    assert_eq!(leased(&handle, &mut tried).as_deref(), Some("a:1:1"));
    assert_eq!(leased(&handle, &mut tried), None);
    handle.add(backend("b:1:1"));
    assert_eq!(leased(&handle, &mut tried).as_deref(), Some("b:1:1"));
    assert_eq!(leased(&handle, &mut tried), None);
}

#[tokio::test(start_paused = true)]
async fn by_load_bytes_count_too() {
    let handle = BackendsHandle::new(Policy::LeastLoad, vec![backend("a:1:1"), backend("b:1:1")], vec![]);
    let a = handle.all().swap_remove(0);
    assert_eq!(next(&handle).as_deref(), Some("a:1:1"));
    tokio::time::advance(Duration::from_secs(1)).await;
    a.tally.to_clients.add(2_000_000);
    a.tally.to_backend.add(1_000_000);
    assert!((250_000..300_000).contains(&a.bytes_per_second()), "{}", a.bytes_per_second());
    let picks: Vec<_> = (0..3).map(|_| next(&handle).unwrap()).collect();
    assert_eq!(picks, ["b:1:1", "b:1:1", "b:1:1"]);
    tokio::time::advance(Duration::from_secs(200)).await;
    assert_eq!(next(&handle).as_deref(), Some("a:1:1"), "it was long ago");
}
