//! A quick look that lets nearly every text pass: all texts of all bodies are looked at, and the
//! shapes together are too large an automaton to be run over each.
//!
//! Must never let pass what a shape would find: a test draws texts from every shape.

use std::sync::LazyLock;

use regex::bytes::Regex;

/// What a credential of any shape holds, ASCII only. One line for the shapes of one family.
const HINTS: &[&str] = &[
    "=|%3[dD]",
    "@",
    "-----BEGIN |LS0tLS1CRUdJTi|PuTTY-User-Key-File-|AGE-SECRET-KEY-1",
    "eyJ",
    r"(?i:basic|sharedkey|bearer)\s",
    r"\+ASt|\+ABa|ACDb|\+AMC|\+ASb|\+AEh|\+ARm|AIoT|\+ACR",
    "AzCa|AzFu|AzSe|JQQJ9|AZDO|[0-9]Q~",
    "atg_",
    r"\bAKIA|\bASIA",
    r"AIza|GOCSPX-|ya29\.",
    "gh[pousr]_|github_pat_|gl(?:pat|dt|rt|ptt|soat)-",
    "xox[abeoprs]-|xapp-",
    r"hooks\.slack\.com/|webhook\.office\.com/|api/webhooks/",
    r"k_live_|k_test_|whsec_|SG\.|\bsk-",
    "npm_|pypi-AgEI|dckr_",
    r"\bdapi[a-f0-9]|hv[bsr]\.|\.atlasv1\.|do[opr]_v1_|\bhf_",
    r"\bSK[0-9a-f]|NRAK-|glsa_",
];

#[expect(clippy::expect_used, reason = "a test compiles it")]
static ANY: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(&format!("(?-u){}", HINTS.join("|"))).expect("the hints compile"));

/// Whether a shape may match. Texts beyond ASCII always may: shapes fold case by Unicode's rules.
pub(super) fn may_hold_secret(text: &str) -> bool {
    !text.is_ascii() || ANY.is_match(text.as_bytes())
}
