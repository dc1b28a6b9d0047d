//! What an operator can do about a server that cannot be used: added to the error, apart from it.

use neo4rs::Error;
use rustls::CertificateError;

use super::trouble::Cause;

/// What TLS says to a first word that is none of its own: an alert, of any version 3.
const TLS_ALERT: [u8; 2] = [0x15, 3];

/// An error, and what can be done about it.
#[derive(Debug, thiserror::Error)]
#[error("{error} ({advice})")]
struct Advised {
    error: Error,
    advice: &'static str,
}

/// The error with its advice, where there is one.
pub(super) fn advised(error: Error) -> Cause {
    match advice(&error) {
        Some(advice) => Advised { error, advice }.into(),
        None => error.into(),
    }
}

#[allow(clippy::wildcard_enum_match_arm, reason = "the driver's list of errors is open")]
fn advice(error: &Error) -> Option<&'static str> {
    Some(match error {
        Error::IOError { detail } => return of_io(detail),
        Error::AuthenticationError(_) => "NEO4J_USER and NEO4J_PASSWORD must be those of the server",
        Error::ProtocolMismatch(word) if word.to_be_bytes().starts_with(&TLS_ALERT) => {
            "TLS is spoken there: the address begins with bolt+s:// or neo4j+s:// then"
        }
        Error::ProtocolMismatch(_) => "NEO4J_URI must lead to the port of Bolt, which is 7687 unless it was changed",
        Error::UnsupportedVersion(..) => "a server is needed that speaks Bolt 4: Neo4j 5.26 or newer",
        Error::ServerUnavailableError(_) => {
            "the server names no other that does this; bolt:// and bolt+s:// ask the one of the address alone"
        }
        Error::Neo4j(said) => return of_code(said.code()),
        _ => return None,
    })
}

fn of_code(code: &str) -> Option<&'static str> {
    let (_, name) = code.rsplit_once('.')?;
    Some(match name {
        "WriteOnReadOnlyAccessDatabase" | "ForbiddenOnReadOnlyDatabase" => "the database must take writes",
        "TransactionStartFailed" | "TransactionLogError" => "make room on its disk if that is full, then restart Neo4j",
        "Forbidden" => "NEO4J_USER needs the right to read, to write and to change the schema",
        "DatabaseNotFound" => "NEO4J_DATABASE must name a database of the server, or be empty",
        "MemoryPoolOutOfMemoryError" => "raise that limit of Neo4j, and its heap",
        "TransactionTimedOut" | "TransactionTimedOutClientConfiguration" => {
            "db.transaction.timeout of Neo4j must be 60 s or more"
        }
        _ => return None,
    })
}

fn of_io(error: &std::io::Error) -> Option<&'static str> {
    if is_unknown_host(error) {
        return Some("NEO4J_URI must name a host that can be found");
    }
    if let Some(problem) = certificate_problem(error) {
        return Some(of_certificate(problem));
    }
    if error.kind() == std::io::ErrorKind::ConnectionRefused {
        return Some("a Neo4j must run at NEO4J_URI");
    }
    of_tls(error)
        .is_some()
        .then_some("is TLS spoken there? Without it the address begins with bolt:// or neo4j://")
}

#[allow(clippy::wildcard_enum_match_arm, reason = "the list of what can be wrong is open")]
fn of_certificate(problem: &CertificateError) -> &'static str {
    match problem {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the server's certificate has expired: renew it"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the server's certificate is not valid yet: look at the clocks"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "NEO4J_URI must name the server as its certificate does"
        }
        // Two authorities may have one name: then the signature alone is wrong.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "NEO4J_CA_FILE must hold the certificate of who signed the server's"
        }
        _ => "the server needs another certificate",
    }
}

/// What is wrong with the server's certificate, if that is the reason.
pub(super) fn certificate_problem(error: &std::io::Error) -> Option<&CertificateError> {
    let rustls::Error::InvalidCertificate(problem) = of_tls(error)? else {
        return None;
    };
    Some(problem)
}

fn of_tls(error: &std::io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

/// Whether the host's name leads nowhere. The system's error has no kind of its own.
pub(super) fn is_unknown_host(error: &std::io::Error) -> bool {
    error.to_string().starts_with("failed to lookup address information")
}
