use super::*;

const RISE_2_FALL_3: Check = Check {
    every: std::time::Duration::from_secs(1),
    timeout: std::time::Duration::from_secs(1),
    rise: 2,
    fall: 3,
};

fn failed() -> Found {
    Found::Failed("no answer".into())
}

fn not_ready() -> Found {
    Found::NotReady("drains".into())
}

/// What comes of checks in a row.
fn check(health: &mut Health, found: &[Found], expected: &[Option<Change>]) {
    let changes: Vec<_> = found.iter().map(|found| health.checked(found.clone(), &RISE_2_FALL_3)).collect();
    assert_eq!(changes, expected, "{found:?}");
}

fn proven() -> Health {
    let mut health = Health::on_trust();
    check(&mut health, &[Found::Ready], &[None]);
    health
}

#[test]
fn one_that_was_never_seen_healthy_falls_at_its_first_failed_check() {
    let mut health = Health::on_trust();
    assert_eq!(health.standing(), Standing::Healthy);
    check(&mut health, &[failed()], &[Some(Change::Down)]);
    assert_eq!((health.standing(), health.why()), (Standing::Doubtful, Some("no answer")));
}

#[test]
fn it_falls_after_as_many_failed_checks_in_a_row_and_rises_after_as_many_good_ones() {
    let mut health = proven();
    check(&mut health, &[failed(), failed(), Found::Ready], &[None, None, None]);
    check(&mut health, &[failed(), failed(), failed()], &[None, None, Some(Change::Down)]);
    check(&mut health, &[Found::Ready, failed(), Found::Ready], &[None, None, None]);
    check(&mut health, &[Found::Ready], &[Some(Change::Up)]);
    assert_eq!((health.standing(), health.why()), (Standing::Healthy, None));
}

#[test]
fn what_it_says_of_itself_counts_at_once() {
    let mut health = proven();
    check(&mut health, &[not_ready()], &[Some(Change::Down)]);
    assert_eq!((health.standing(), health.why()), (Standing::Doubtful, Some("drains")));
    check(&mut health, &[Found::Ready, not_ready(), Found::Ready], &[None, None, None]);
    check(&mut health, &[Found::Ready], &[Some(Change::Up)]);
}

#[test]
fn a_refused_client_puts_it_out_at_once_and_checks_bring_it_back() {
    let mut health = proven();
    assert_eq!(health.refused("refused".into()), Some(Change::Down));
    assert_eq!(health.standing(), Standing::Refusing);
    assert_eq!(health.refused("refused".into()), None, "it is out already");
    check(&mut health, &[failed()], &[None]);
    assert_eq!(health.standing(), Standing::Refusing, "a failed check is no better news");
    check(&mut health, &[Found::Ready, Found::Ready], &[None, Some(Change::Up)]);
}

#[test]
fn a_client_that_got_through_makes_it_better_than_those_that_refuse_but_not_healthy() {
    let mut health = proven();
    health.refused("refused".into());
    health.accepted();
    assert_eq!(health.standing(), Standing::Doubtful);
}

#[test]
fn a_check_that_could_not_be_made_says_nothing_of_a_backend() {
    let not_asked = || Found::NotAsked("no descriptor".into());
    for mut health in [Health::on_trust(), proven()] {
        check(&mut health, &[not_asked(), not_asked(), not_asked(), not_asked()], &[None, None, None, None]);
        assert_eq!((health.standing(), health.why()), (Standing::Healthy, Some("no descriptor")));
    }
    let mut health = proven();
    check(&mut health, &[failed(), failed(), not_asked(), failed()], &[None, None, None, Some(Change::Down)]);
    check(&mut health, &[not_asked(), Found::Ready, Found::Ready], &[None, None, Some(Change::Up)]);
    assert_eq!(health.why(), None);
}
