//! The queries of `GET /api/v1/operations` and of a job's events.

use crate::api::fields::{FieldError, RequestError};
use crate::api::{JobStatus, OperationType};
use crate::ids::{JobKind, Seq};
use crate::limits;

/// Which operations a list shows. Other parameters are ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OperationsQuery {
    /// Only in this status.
    pub status_filter: Option<JobStatus>,
    /// Only of this sort.
    pub operation_type: Option<OperationType>,
    /// How many.
    pub limit: u32,
    /// How many are passed over.
    pub offset: u32,
}

impl Default for OperationsQuery {
    fn default() -> Self {
        Self {
            status_filter: None,
            operation_type: None,
            limit: limits::LIST_LIMIT_DEFAULT,
            offset: 0,
        }
    }
}

impl OperationsQuery {
    /// Reads decoded name and value pairs; all that is wrong is told.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, RequestError> {
        let mut query = Self::default();
        let mut errors = Vec::new();
        for (name, value) in pairs {
            match name {
                "status_filter" => match JobStatus::from_wire(value) {
                    Some(status) => query.status_filter = Some(status),
                    None => errors.push(FieldError::new(name, one_of(JobStatus::ALL.map(JobStatus::as_str)))),
                },
                "operation_type" => match JobKind::from_wire(value) {
                    Some(kind) => query.operation_type = Some(kind.into()),
                    None => errors.push(FieldError::new(name, one_of(JobKind::ALL.map(JobKind::as_str)))),
                },
                "limit" => match within(name, value, 1, limits::LIST_LIMIT_MAX) {
                    Ok(limit) => query.limit = limit,
                    Err(error) => errors.push(error),
                },
                "offset" => match within(name, value, 0, limits::LIST_OFFSET_MAX) {
                    Ok(offset) => query.offset = offset,
                    Err(error) => errors.push(error),
                },
                _ => {}
            }
        }
        checked(query, errors)
    }

    /// The query as it is sent, without what is the default.
    pub fn to_pairs(self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        if let Some(status) = self.status_filter {
            pairs.push(("status_filter", status.as_str().to_owned()));
        }
        if let Some(operation) = self.operation_type {
            pairs.push(("operation_type", JobKind::from(operation).as_str().to_owned()));
        }
        if self.limit != limits::LIST_LIMIT_DEFAULT {
            pairs.push(("limit", self.limit.to_string()));
        }
        if self.offset != 0 {
            pairs.push(("offset", self.offset.to_string()));
        }
        pairs
    }
}

/// Which events of a job a page holds. Other parameters are ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventsQuery {
    /// The cursor, when one was given.
    pub after: Option<Seq>,
    /// How many.
    pub limit: u32,
    /// Whether progress carries its counters.
    pub detail: bool,
}

impl Default for EventsQuery {
    fn default() -> Self {
        Self {
            after: None,
            limit: limits::EVENTS_LIMIT_DEFAULT,
            detail: false,
        }
    }
}

impl EventsQuery {
    /// Reads decoded name and value pairs; all that is wrong is told.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, RequestError> {
        let mut query = Self::default();
        let mut errors = Vec::new();
        for (name, value) in pairs {
            match name {
                "after" => match value.parse::<u64>() {
                    Ok(after) if plain_digits(value) => query.after = Some(Seq::new(after)),
                    Ok(_) | Err(_) => errors.push(FieldError::new(name, "must be a whole number of at least 0")),
                },
                "limit" => match within(name, value, 1, limits::EVENTS_LIMIT_MAX) {
                    Ok(limit) => query.limit = limit,
                    Err(error) => errors.push(error),
                },
                "detail" => match value {
                    "1" | "true" => query.detail = true,
                    "0" | "false" => query.detail = false,
                    _ => errors.push(FieldError::new(name, "must be 0 or 1")),
                },
                _ => {}
            }
        }
        checked(query, errors)
    }
}

fn checked<T>(query: T, errors: Vec<FieldError>) -> Result<T, RequestError> {
    if errors.is_empty() {
        Ok(query)
    } else {
        Err(RequestError::Invalid(errors))
    }
}

fn one_of<const N: usize>(words: [&str; N]) -> String {
    format!("must be one of {}", words.join(", "))
}

fn plain_digits(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit())
}

fn within(name: &str, value: &str, min: u32, max: u32) -> Result<u32, FieldError> {
    let number = value.parse().ok().filter(|_| plain_digits(value));
    number
        .filter(|number| (min..=max).contains(number))
        .ok_or_else(|| FieldError::new(name, format!("must be a whole number between {min} and {max}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_reads_back_as_sent() {
        let query = OperationsQuery {
            status_filter: Some(JobStatus::Running),
            operation_type: Some(OperationType::GenerateIac),
            limit: 200,
            offset: 10_000,
        };
        let pairs = query.to_pairs();
        let read = OperationsQuery::from_pairs(pairs.iter().map(|(name, value)| (*name, value.as_str())));
        assert_eq!(read, Ok(query));
        assert!(OperationsQuery::default().to_pairs().is_empty());
    }

    #[test]
    fn every_wrong_parameter_is_told() {
        let error = OperationsQuery::from_pairs([
            ("status_filter", "succeeded"),
            ("operation_type", "iac"),
            ("limit", "0"),
            ("offset", "10001"),
            ("else", "ignored"),
        ]);
        assert_eq!(error.unwrap_err().fields().len(), 4);
    }

    #[test]
    fn a_cursor_is_a_plain_number() {
        for wrong in ["", "-1", "+1", "1.0", "x", "99999999999999999999999"] {
            assert!(EventsQuery::from_pairs([("after", wrong)]).is_err(), "{wrong}");
        }
        let query = EventsQuery::from_pairs([("after", "0"), ("limit", "1000")]).unwrap();
        assert_eq!((query.after, query.limit), (Some(Seq::ZERO), 1000));
    }
}
