use super::{Face, Lead, addresses, links, mark, url};

/// Lines with their leads and faces: `B[..]` for bold, `I`, `C`, `L`, `Q`; letters add up.
fn picture(text: &str) -> String {
    let marked = mark(text);
    let lines = marked.lines.iter().map(|(bytes, lead)| {
        let mut out = match lead {
            Lead::None => String::new(),
            Lead::Quote => "> ".to_owned(),
            Lead::Code => "| ".to_owned(),
        };
        let mut at = bytes.start;
        for span in
            marked.spans.iter().filter(|span| bytes.start <= span.bytes.start && span.bytes.end <= bytes.end)
        {
            out += &marked.text[at..span.bytes.start];
            let letters = [
                (Face::BOLD, 'B'),
                (Face::ITALIC, 'I'),
                (Face::CODE, 'C'),
                (Face::LINK, 'L'),
                (Face::QUOTE, 'Q'),
            ];
            out.extend(letters.iter().filter(|(face, _)| span.face.has(*face)).map(|(_, letter)| letter));
            out += &format!("[{}]", &marked.text[span.bytes.clone()]);
            at = span.bytes.end;
        }
        out + &marked.text[at..bytes.end]
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(picture(text), expected, "{text}");
}

#[track_caller]
fn check_plain(text: &str) {
    let marked = mark(text);
    assert!(marked.spans.is_empty() && marked.text == text, "{text}: {}", picture(text));
}

#[test]
fn emphasis_is_found() {
    check("a *bold* word", "a B[bold] word");
    check("**bold** too", "B[bold] too");
    check("_italic_, and *both _of_ them*.", "I[italic], and B[both ]BI[of]B[ them].");
    check("(*so*) \"_so_\"!", "(B[so]) \"I[so]\"!");
    check("_*x*_ and *_y_*", "BI[x] and BI[y]");
    check("_snake_case_name_", "I[snake_case_name]");
    check("*two* of *them*", "B[two] of B[them]");
    check("这是*重点*。", "这是B[重点]。");
    check("*this is not, *this* is", "*this is not, B[this] is");
}

#[test]
fn what_is_no_markdown_stays() {
    for text in [
        "2*3*4 = 24",
        "snake_case_names and __init__",
        "src/*/mod.rs and tests/*/x",
        "*.rs, *.toml",
        "5 * 3 * 2",
        "/*comment*/",
        "*not closed",
        "_nor this",
        "* a list",
        "*_* T_T ^_^",
        "***",
        "****",
        "a ** b",
        "`not closed",
        "*\nbold over lines*",
        "\\*escaped*",
        "*️⃣ one *️⃣",
        ">_<",
        ">quote",
        "> ",
        "->",
        "```not closed\ncode",
        "``` two words\ncode\n```",
        "*args and **kwargs",
        "ftp://example.com",
        "http://",
        "https:// x",
        "://x",
    ] {
        check_plain(text);
    }
}

#[test]
fn code_is_code() {
    check("run `ls *.rs *.toml` now", "run C[`ls *.rs *.toml`] now");
    check("``a ` b``", "C[``a ` b``]");
    check("`_x_` _y_", "C[`_x_`] I[y]");
    check("*see `a*b` there*", "B[see ]BC[`a*b`]B[ there]");
    check("`https://example.com`", "C[`https://example.com`]");
    check("``` x ``` `", "C[``` x ```] `");
}

#[test]
fn fences_keep_their_lines() {
    check(
        "see:\n```rust\nfn  main() {\n    *x*\n}\n```\nthere",
        "see:\n| C[fn  main() {]\n| C[    *x*]\n| C[}]\nthere",
    );
    check("```\n```", "| ");
    check("```\na\n```\n```\nb", "| C[a]\n```\nb");
    check("```\n> *a*\n```", "| C[> *a*]");
    check("```\n\na\n```", "| \n| C[a]");
}

#[test]
fn quotes_are_lines() {
    check("> so *he* said\nno", "> Q[so ]BQ[he]Q[ said]\nno");
    check("a > b", "a > b");
}

#[test]
fn links_end_where_the_sentence_goes_on() {
    check("see https://example.com/a_b_c.", "see L[https://example.com/a_b_c].");
    check("(http://example.com/x_(y))", "(L[http://example.com/x_(y)])");
    check("<https://example.com/?q=1&r=*2*>, ok?", "<L[https://example.com/?q=1&r=*2*]>, ok?");
    check("*https://example.com/a*", "BL[https://example.com/a]");
    check("HTTPS://EXAMPLE.COM/…", "L[HTTPS://EXAMPLE.COM/]…");
    check("看https://example.com/中文。好", "看L[https://example.com/中文]。好");
    check("xhttp://a.b", "xhttp://a.b");
    check("http://a.b:80/c:d https://[::1]/", "L[http://a.b:80/c:d] L[https://[::1]/]");
    check("https://a.b/_x_ _y_", "L[https://a.b/_x_] I[y]");
    assert_eq!(links("*so*: https://a.b!").spans.len(), 1);
}

#[test]
fn an_address_cannot_carry_an_escape() {
    assert_eq!(url::encoded("https://a.b/\u{7}ü\"\\"), Some("https://a.b/%07%C3%BC%22%5C".to_owned()));
    assert_eq!(url::encoded(&format!("https://a.b/{}", "x".repeat(2_000))), None);
}

#[test]
fn hostile_texts_are_read_in_time() {
    // Each is as long as a message may be; read with a square of its length, this test would not end.
    for unit in [
        "*a ",
        "_a",
        "`a``",
        "* ",
        "*_",
        "```a\n",
        "> *",
        "http://",
        "http://-",
        "**a*b ",
        "*a*",
        "([",
        "https://a)",
    ] {
        let text = unit.repeat(16 * 1024 / unit.len());
        assert!(mark(&text).text.len() <= text.len(), "{unit}");
    }
}

#[test]
fn each_sign_is_looked_at_once_for_addresses() {
    for unit in
        ["http://-", "http://", "http://a ", "https://a)", "http://.,", "http://Ａ", "xhttp://a", "*http://*"]
    {
        let text = unit.repeat(4_000 / unit.len());
        url::STEPS.set(0);
        links(&text);
        assert!(url::STEPS.get() <= text.len(), "{unit}: {}", url::STEPS.get());
        url::STEPS.set(0);
        mark(&text);
        assert!(url::STEPS.get() <= text.len(), "{unit}: {}", url::STEPS.get());
    }
}

#[test]
fn the_addresses_of_a_text_are_listed_once() {
    let text = "http://a.b, `http://code` *http://c.d/ü* http://a.b!";
    assert_eq!(addresses(text), ["http://a.b", "http://c.d/%C3%BC"]);
}
