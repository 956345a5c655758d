//! What counts as the same wording, and what it costs.

#![allow(clippy::string_slice, clippy::indexing_slicing, reason = "in a test a panic is the report")]

use proptest::prelude::*;
use why401_knowledge::{Channel, Knowledge, Said};

const DATA: &str = r#"
product = "example"
name = "Example"
kind = "server"

[[mark]]
in = "field:server"
text = "example/1"

[[mark]]
in = "field:x-example-id"

[[mark]]
in = "cookie"
text = "EXAMPLESESSION"

[[phrase]]
text = "user {}: authentication failure for {}: Password Mismatch"
codes = ["AH01617"]
in = ["log"]
cause = "wrong-password"
weight = "proves"
source = "https://example.com/"

[[phrase]]
text = "The token expired 30 seconds ago"
cause = "token-expired"
weight = "proves"
source = "https://example.com/"

[[phrase]]
text = "The token expired"
cause = "token-revoked"
weight = "suggests"
source = "https://example.com/"

[[phrase]]
text = "HTTP Error {=401.3} - Unauthorized"
cause = "acl-denied"
weight = "proves"
source = "https://example.com/"

[[phrase]]
text = "Bad credentials"
cause = "credentials-refused"
weight = "suggests"
needs_product = true
source = "https://example.com/"

[[phrase]]
codes = ["1326", "0x8007052E"]
in = ["field:sc-win32-status"]
cause = "wrong-password"
weight = "proves"
source = "https://example.com/"

[[fix]]
cause = "acl-denied"
party = "server"
do = "Grant it."
source = "https://example.com/"
"#;

fn known() -> Knowledge {
    let known = Knowledge::read(&[("example", DATA)]);
    assert!(known.problems().is_empty(), "{:?}", known.problems());
    known
}

fn causes<'k>(said: &[Said<'k>]) -> Vec<&'k str> {
    said.iter().map(|s| s.cause).collect()
}

#[test]
fn other_numbers_punctuation_and_markup_are_the_same_wording() {
    let known = known();
    for text in [
        "The token expired 30 seconds ago",
        "the TOKEN expired -- 12.5 seconds ago",
        r#"{"error":"The token expired\n7 seconds \"ago\""}"#,
        "<p>The&nbsp;token <b>expired</b> 1 seconds ago",
        "?error_description=The%20token+expired+400+seconds+ago",
    ] {
        assert_eq!(causes(&known.said(Channel::Body, text)), ["token-expired"], "{text}");
    }
    assert_eq!(causes(&known.said(Channel::Body, "The token expired")), ["token-revoked"]);
    assert!(known.said(Channel::Body, "The tokens expired").is_empty());
}

#[test]
fn the_range_covers_the_words_in_the_text_as_given() {
    let known = known();
    let text = "[auth_basic:error] user \u{e9}ve \"x\": authentication failure for \"/a/b?c=d\": Password  Mismatch, referer";
    let said = known.said(Channel::Log, text);
    assert_eq!(
        text.get(said[0].range.clone()),
        Some("user \u{e9}ve \"x\": authentication failure for \"/a/b?c=d\": Password  Mismatch")
    );
}

#[test]
fn codes_and_exact_numbers_are_compared_digit_by_digit() {
    let known = known();
    assert_eq!(causes(&known.said(Channel::Log, "AH01617: something new")), ["wrong-password"]);
    assert!(known.said(Channel::Log, "AH01618: something new").is_empty());
    assert_eq!(causes(&known.said(Channel::Body, "HTTP Error 401.3 - Unauthorized")), ["acl-denied"]);
    assert!(known.said(Channel::Body, "HTTP Error 401.2 - Unauthorized").is_empty());
    assert_eq!(causes(&known.said(Channel::Field("SC-Win32-Status"), "1326")), ["wrong-password"]);
    assert!(known.said(Channel::Field("sc-win32-status"), "1327").is_empty());
    assert!(known.said(Channel::Symptom, "after 1326 requests").is_empty());
    assert_eq!(known.code("0x8007052e").len(), 1);
    assert_eq!(known.code("1326").len(), 1);
}

#[test]
fn a_gap_is_a_few_words_and_not_a_page() {
    let known = known();
    let near = "user : authentication failure for : Password Mismatch";
    assert_eq!(known.said(Channel::Log, near).len(), 1);
    let far = format!("user {} authentication failure for x: Password Mismatch", "word ".repeat(30));
    assert!(known.said(Channel::Log, far).is_empty());
}

#[test]
fn general_wordings_wait_for_their_product() {
    let known = known();
    let said = known.said(Channel::Body, "Bad credentials");
    assert!(said[0].needs_product);
    assert!(known.said_by(Channel::Body, "Bad credentials", &[]).is_empty());
    let seen = known.recognise(Channel::Field("Server"), "Sample/1");
    assert_eq!(known.said_by(Channel::Body, "Bad credentials", &seen).len(), 0);
    let seen = known.recognise(Channel::Field("Server"), "Example/1");
    assert_eq!(known.said_by(Channel::Body, "Bad credentials", &seen).len(), 1);
    assert_eq!(known.fixes("acl-denied", &seen).len(), 1);
    assert!(known.fixes("wrong-password", &seen).is_empty());
}

#[test]
fn presence_of_a_field_is_a_mark() {
    let known = known();
    assert_eq!(known.recognise(Channel::Field("X-Example-Id"), "anything").len(), 1);
    assert!(known.recognise(Channel::Field("x-other"), "anything").is_empty());
    assert_eq!(known.recognise(Channel::Cookie, "examplesession").len(), 1);
}

#[test]
fn a_broken_file_is_told_and_the_others_are_read() {
    let known = Knowledge::read(&[("bad", "product = 1"), ("example", DATA)]);
    assert_eq!(known.products().count(), 1);
    assert!(known.problems()[0].starts_with("bad: "));
}

#[test]
fn repetition_costs_no_more_than_its_length() {
    let known = Knowledge::shared();
    for unit in
        ["user : authentication failure for ", "the token ", "<", "&#", "%2", "\\u00", "1.", "{", "jwt is "]
    {
        let text = unit.repeat((1 << 18) / unit.len());
        let begun = std::time::Instant::now();
        known.said(Channel::Symptom, &text);
        // Seconds even in an unoptimised build on a busy machine; quadratic time would be hours.
        assert!(begun.elapsed().as_secs() < 20, "{unit:?} took {:?}", begun.elapsed());
    }
}

proptest! {
    #[test]
    fn any_bytes_do_no_harm_and_ranges_lie_inside(text: Vec<u8>, before in "[^<&%\\\\]{0,40}", after in "\\PC{0,40}") {
        let known = known();
        for said in known.said(Channel::Symptom, &text) {
            prop_assert!(said.range.start < said.range.end && said.range.end <= text.len());
        }
        let framed = format!("{before} The token expired 5 seconds ago {after}");
        let said = known.said(Channel::Symptom, &framed);
        prop_assert!(causes(&said).contains(&"token-expired"));
    }

    #[test]
    fn gaps_take_any_name(user in "[a-z.@_-]{1,20}", path in "(/[a-z0-9%?=&]{1,8}){1,8}") {
        let known = known();
        let line = format!("AH0: user {user}: authentication failure for \"{path}\": Password Mismatch");
        prop_assert_eq!(causes(&known.said(Channel::Log, &line)), ["wrong-password"]);
    }
}

#[test]
fn every_wording_of_a_phrase_covers_what_stands_inside_it() {
    let known = Knowledge::read(&[(
        "x",
        r#"
product = "x"
name = "x"
kind = "service"
[[phrase]]
text = ["Access denied", "Access denied. The password was incorrect or a token is wanted"]
cause = "credentials-refused"
weight = "suggests"
source = "https://example.com/"
[[phrase]]
text = "password was incorrect"
cause = "wrong-password"
weight = "proves"
source = "https://example.com/"
"#,
    )]);
    let text = "remote: Access denied. The password was incorrect or a token is wanted. Access denied";
    let said = known.said(Channel::Symptom, text);
    assert_eq!(said.iter().map(|s| s.cause).collect::<Vec<_>>(), ["credentials-refused"]);
    assert!(text.get(said[0].range.clone()).is_some_and(|bytes| bytes.ends_with("wanted")));
}
