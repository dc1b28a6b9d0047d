//! What is typed, read. An error names the rule and never what was typed.

use std::fmt;

use atg_auth::{KeyName, Scope, Tenants};
use atg_models::{limits, time_text};
use time::{Duration, OffsetDateTime};

use super::Create;

/// Which part of the command line is wrong, and the rule that it breaks.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    what: &'static str,
    rule: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.what, self.rule)
    }
}

fn wrong(what: &'static str, rule: impl fmt::Display) -> Wrong {
    Wrong {
        what,
        rule: rule.to_string(),
    }
}

/// A time to go on for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span(pub(super) Duration);

/// A key that is wanted.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) name: KeyName,
    pub(super) scope: Scope,
    pub(super) tenants: Tenants,
    pub(super) expires_at: Option<OffsetDateTime>,
}

pub(super) fn create(typed: &Create, now: OffsetDateTime) -> Result<Wanted, Wrong> {
    let Create {
        name: typed_name,
        scopes,
        tenants,
        expires_at,
        expires_in,
    } = typed;
    let expires_at = match (expires_at, expires_in) {
        (Some(at), _) => Some(at_time(at, now)?),
        (None, Some(span)) => Some(now + lifetime(span)?),
        (None, None) => None,
    };
    Ok(Wanted {
        name: name_of("--name", typed_name)?,
        scope: Scope::largest_of(scopes).map_err(|error| wrong("--scopes", error))?,
        tenants: tenants.parse().map_err(|error| wrong("--tenants", error))?,
        expires_at,
    })
}

/// The name of a key that there is.
pub(super) fn name(typed: &str) -> Result<KeyName, Wrong> {
    name_of("NAME", typed)
}

fn name_of(what: &'static str, typed: &str) -> Result<KeyName, Wrong> {
    typed.parse().map_err(|error| wrong(what, error))
}

/// How long an old key goes on.
pub(super) fn overlap(typed: &str) -> Result<Span, Wrong> {
    let most = limits::KEY_OVERLAP_MAX;
    let span = span(typed).filter(|span| *span <= most);
    span.map(Span).ok_or_else(|| {
        let rule = format!(
            "must be a duration such as 90m, 24h or 7d, {} days at most",
            most.whole_days()
        );
        wrong("--overlap", rule)
    })
}

fn lifetime(typed: &str) -> Result<Duration, Wrong> {
    let most = limits::KEY_LIFETIME_MAX;
    let span = span(typed).filter(|span| span.is_positive() && *span <= most);
    span.ok_or_else(|| {
        let rule = format!(
            "must be a duration such as 12h, 30d or 1y, {} days at most",
            most.whole_days()
        );
        wrong("--expires-in", rule)
    })
}

fn at_time(typed: &str, now: OffsetDateTime) -> Result<OffsetDateTime, Wrong> {
    const WHAT: &str = "--expires-at";
    let at = time_text::parse(typed.trim()).ok_or_else(|| {
        wrong(
            WHAT,
            "must be a time with its zone (RFC 3339), such as 2030-01-31T00:00:00Z",
        )
    })?;
    if at <= now {
        return Err(wrong(WHAT, "must lie in the future"));
    }
    if at - now > limits::KEY_LIFETIME_MAX {
        let rule = format!("must lie within {} days", limits::KEY_LIFETIME_MAX.whole_days());
        return Err(wrong(WHAT, rule));
    }
    Ok(at)
}

fn span(typed: &str) -> Option<Duration> {
    humantime::parse_duration(typed.trim()).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn typed() -> Create {
        Create {
            name: "ci".to_owned(),
            scopes: "read".to_owned(),
            tenants: "all".to_owned(),
            expires_at: None,
            expires_in: None,
        }
    }

    fn check(change: impl FnOnce(&mut Create), start: &str) {
        let mut typed = typed();
        change(&mut typed);
        let error = create(&typed, NOW).unwrap_err().to_string();
        assert!(error.starts_with(start), "{error}");
    }

    #[test]
    fn a_wrong_part_is_named_with_its_rule() {
        check(
            |typed| typed.name = "two words".to_owned(),
            "--name must be 1 to 64 letters",
        );
        check(|typed| typed.name = "config-1".to_owned(), "--name must not be");
        for scopes in ["", "write", "read,", "Read"] {
            check(
                |typed| typed.scopes = scopes.to_owned(),
                "--scopes must be read, operate or admin",
            );
        }
        for tenants in ["", "none", "all,all", "1234"] {
            check(
                |typed| typed.tenants = tenants.to_owned(),
                "--tenants must be all, or up to",
            );
        }
        for at in ["", "tomorrow", "2030-01-31", "2030-01-31T00:00:00"] {
            check(
                |typed| typed.expires_at = Some(at.to_owned()),
                "--expires-at must be a time",
            );
        }
        for at in ["1970-01-01T00:00:00Z", "1969-12-31T23:00:00Z"] {
            check(
                |typed| typed.expires_at = Some(at.to_owned()),
                "--expires-at must lie in the future",
            );
        }
        check(
            |typed| typed.expires_at = Some("9999-12-31T00:00:00Z".to_owned()),
            "--expires-at must lie within 3650 days",
        );
        for span in ["", "0s", "-1d", "30", "11y", "99999999999y", "soon"] {
            check(
                |typed| typed.expires_in = Some(span.to_owned()),
                "--expires-in must be a duration",
            );
        }
        for span in ["", "32d", "-1h", "later"] {
            let error = overlap(span).unwrap_err().to_string();
            assert!(error.starts_with("--overlap must be a duration"), "{error}");
        }
    }

    #[test]
    fn what_is_typed_is_read() {
        let mut typed = typed();
        typed.scopes = "read,admin".to_owned();
        typed.expires_in = Some("30d".to_owned());
        let wanted = create(&typed, NOW).unwrap();
        assert_eq!(wanted.scope, Scope::Admin);
        assert_eq!(wanted.expires_at, Some(NOW + Duration::days(30)));
        typed.expires_in = None;
        typed.expires_at = Some("1970-01-02T01:00:00+01:00".to_owned());
        assert_eq!(create(&typed, NOW).unwrap().expires_at, Some(NOW + Duration::days(1)));
        assert_eq!(overlap("0s"), Ok(Span(Duration::ZERO)));
        assert_eq!(overlap("24h"), Ok(Span(limits::KEY_OVERLAP_DEFAULT)));
    }
}
