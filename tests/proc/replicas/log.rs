//! What the log of a job has to be, whatever befell the servers that wrote it: a decision over its frames.

use serde_json::Value;

/// How a job was held, as its log tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lease {
    pub(crate) attempt: u64,
    pub(crate) server: String,
    pub(crate) number: u64,
}

/// What a log says, when there is nothing wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) leases: Vec<Lease>,
    /// How the job ended.
    pub(crate) end: String,
}

/// Reads a whole log; or what is wrong with it.
pub(crate) fn read(frames: &[Value]) -> Result<Told, String> {
    let mut leases: Vec<Lease> = Vec::new();
    let mut percent = 0.0;
    let mut failed = false;
    for (at, frame) in frames.iter().enumerate() {
        let is_last = at + 1 == frames.len();
        let wrong = |what: &str| Err(format!("{what}: {frame}"));
        if frame["seq"] != at + 1 {
            return wrong("not numbered one by one");
        }
        if (frame["type"] == "completion") != is_last {
            return wrong("it has to end with its completion, and nothing else");
        }
        if failed && !is_last {
            return wrong("behind the error");
        }
        match frame["type"].as_str().unwrap_or_default() {
            "log" => {
                let Some(lease) = lease(frame["message"].as_str().unwrap_or_default()) else {
                    continue;
                };
                if let Some(last) = leases.last()
                    && (lease.number <= last.number || lease.attempt < last.attempt)
                {
                    return wrong("a lease is held twice, or was never given back");
                }
                leases.push(lease);
                percent = 0.0;
            }
            "progress" => {
                let now = frame["progress"].as_f64().unwrap_or_default();
                if leases.is_empty() || now < percent {
                    return wrong("not said by who holds the lease");
                }
                percent = now;
            }
            "error" => failed = true,
            "completion" => {}
            _ => return wrong("an unknown kind"),
        }
    }
    let end = frames
        .last()
        .and_then(|last| last["status"].as_str())
        .unwrap_or_default();
    if failed != (end == "failed") {
        return Err(format!("an error and an end that do not fit: {end}"));
    }
    if end == "completed" && percent < 100.0 {
        return Err(format!("completed at {percent} %"));
    }
    if end == "completed" && leases.is_empty() {
        return Err("completed by nobody".to_owned());
    }
    Ok(Told {
        leases,
        end: end.to_owned(),
    })
}

/// Of the line `attempt 2 begins at server-0a1b, under lease 3`.
fn lease(message: &str) -> Option<Lease> {
    let rest = message.strip_prefix("attempt ")?;
    let (attempt, rest) = rest.split_once(" begins at ")?;
    let (server, number) = rest.split_once(", under lease ")?;
    Some(Lease {
        attempt: attempt.parse().ok()?,
        server: server.to_owned(),
        number: number.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn log(words: &[&str]) -> Result<Told, String> {
        let frame = |(at, word): (usize, &&str)| {
            let seq = at + 1;
            if let Ok(percent) = word.parse::<f64>() {
                return json!({"seq": seq, "type": "progress", "progress": percent});
            }
            match *word {
                "error" => json!({"seq": seq, "type": "error"}),
                "completed" | "failed" | "cancelled" => json!({"seq": seq, "type": "completion", "status": word}),
                line => json!({"seq": seq, "type": "log", "message": line}),
            }
        };
        read(&words.iter().enumerate().map(frame).collect::<Vec<_>>())
    }

    const ONE: &str = "attempt 1 begins at one, under lease 1";
    const TWO: &str = "attempt 2 begins at two, under lease 2";
    /// After a server that has given the job back.
    const AGAIN: &str = "attempt 1 begins at two, under lease 2";

    #[test]
    fn an_undisturbed_and_a_disturbed_log_are_right() {
        let told = log(&["waits", ONE, "10", "100", "completed"]).unwrap();
        assert_eq!((told.leases.len(), told.end.as_str()), (1, "completed"));
        let told = log(&[ONE, "70", TWO, "10", "line", "100", "completed"]).unwrap();
        let last = told.leases.last().unwrap();
        assert_eq!((last.attempt, last.server.as_str(), last.number), (2, "two", 2));
        assert!(log(&[ONE, "70", AGAIN, "100", "completed"]).is_ok());
        assert!(log(&["cancelled"]).is_ok());
        assert!(log(&[ONE, "error", "failed"]).is_ok());
    }

    #[test]
    fn what_must_not_be_is_seen() {
        for (log, why) in [
            (log(&[ONE, AGAIN, ONE, "100", "completed"]), "held twice"),
            (log(&[ONE, ONE, "100", "completed"]), "held twice"),
            (log(&[TWO, ONE, "100", "completed"]), "held twice"),
            // Of the first server, which does not know that it has lost the job.
            (
                log(&[ONE, "50", TWO, "10", "60", "12", "100", "completed"]),
                "who holds",
            ),
            (log(&["10", ONE, "100", "completed"]), "who holds"),
            (log(&[ONE, "100", "completed", "completed"]), "its completion"),
            (log(&[ONE, "100", "completed", "line"]), "its completion"),
            (log(&[ONE, "100"]), "its completion"),
            (log(&[ONE, "error", "line", "failed"]), "behind the error"),
            (log(&[ONE, "failed"]), "do not fit"),
            (log(&[ONE, "99", "completed"]), "99 %"),
            (
                read(&[json!({"seq": 2, "type": "completion", "status": "cancelled"})]),
                "one by one",
            ),
        ] {
            let problem = log.expect_err(why);
            assert!(problem.contains(why), "{problem} instead of {why}");
        }
    }
}
