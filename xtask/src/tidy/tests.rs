use super::*;

/// What is wrong with a file of this text at this place, the habit of opening with `//!` kept.
fn broken(path: &str, code: &str) -> Vec<String> {
    check(&Source::new(path.to_owned(), format!("//! A sample.\n{code}\n")))
}

/// A file inside a part of the code.
fn inside(part: &str) -> String {
    format!("{part}/sample.rs")
}

#[test]
fn the_workspace_is_tidy() {
    run(&crate::root()).unwrap();
}

#[test]
fn every_arrow_fires_on_each_name_it_forbids() {
    for arrow in ARROWS {
        for (part, never) in
            arrow.parts.iter().flat_map(|part| arrow.never.iter().map(move |never| (part, never)))
        {
            let path = never.replace('*', "some::thing");
            for code in [format!("use {path}::Thing;"), format!("fn f() {{ {path}::thing() }}")] {
                let found = broken(&inside(part), &code);
                assert!(found.iter().any(|line| line.ends_with(arrow.why)), "{part}: {code}: {found:?}");
            }
        }
    }
}

#[test]
fn no_arrow_fires_where_it_does_not_hold() {
    for arrow in ARROWS {
        let path = arrow.never[0].replace('*', "some::thing");
        let code = format!("use {path}::Thing;");
        for part in arrow.except {
            let found = broken(&format!("{part}.rs"), &code);
            assert!(!found.iter().any(|line| line.ends_with(arrow.why)), "{part}: {found:?}");
        }
        let test = format!("#[cfg(test)]\nmod tests {{\n    {code}\n}}");
        assert_eq!(broken(&inside(arrow.parts[0]), &test), Vec::<String>::new(), "tests may");
        let comment = format!("// {code}\nconst TEXT: &str = \"{code}\";");
        assert_eq!(broken(&inside(arrow.parts[0]), &comment), Vec::<String>::new(), "texts may");
    }
}

#[test]
fn a_redis_key_is_spelt_in_one_file() {
    let code = "const KEY: &str = \"chat:format\";";
    assert_eq!(broken("server/src/backbone/redis/people.rs", code).len(), 1);
    assert_eq!(broken("server/src/backbone/redis/keys.rs", code).len(), 0);
    assert_eq!(broken("server/src/backbone/redis/tests/differential.rs", code).len(), 0);
}

#[test]
fn a_part_is_its_file_and_its_folder_and_no_other_of_like_name() {
    let code = "use crate::session::Session;";
    assert_eq!(broken("server/src/hub.rs", code).len(), 1);
    assert_eq!(broken("server/src/hub/shard.rs", code).len(), 1);
    assert_eq!(broken("server/src/hubbub.rs", code).len(), 0);
    assert_eq!(broken("server/src/hub/shard.rs", "use super::super::session::Session;").len(), 1);
    assert_eq!(broken("server/src/hub.rs", "use crate::{room, session::{self, Session as S}};").len(), 2);
}

#[test]
fn every_ban_fires_on_its_sample() {
    for ban in BANS {
        let code = match ban.scope {
            Scope::Everywhere => ban.sample.to_owned(),
            Scope::Tests => format!("#[cfg(test)]\nmod tests {{\n    {}\n}}", ban.sample),
        };
        let found = broken("server/src/sample.rs", &code);
        assert!(found.iter().any(|line| line.ends_with(ban.why)), "{}: {found:?}", ban.what);
        let found = broken("server/tests/it/sample.rs", ban.sample);
        assert!(found.iter().any(|line| line.ends_with(ban.why)), "{}: {found:?}", ban.what);
    }
    assert_eq!(broken("server/src/sample.rs", "use tokio::time::sleep;").len(), 0, "programs may sleep");
}

#[test]
fn a_file_that_does_not_say_what_it_owns_is_found() {
    let found = check(&Source::new("server/src/a.rs".into(), "fn f() {}\n".into()));
    assert!(found[0].contains("does not open with //!"), "{found:?}");
    assert!(check(&Source::new("server/src/a/tests.rs".into(), "fn f() {}\n".into())).is_empty());
}

#[test]
fn a_file_over_the_wall_is_found_and_its_tests_do_not_count() {
    let long = "fn f() {}\n".repeat(LINES_MAX);
    let found = broken("server/src/a.rs", &long);
    assert!(found[0].contains("split it"), "{found:?}");
    assert!(broken("server/src/a.rs", &format!("#[cfg(test)]\nmod tests {{\n{long}}}")).is_empty());
}
