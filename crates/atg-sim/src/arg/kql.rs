//! Parses the part of KQL that Resource Graph clients send; what it does not know it refuses.

use serde_json::Value;

use super::lexer::{Refusal, Token, tokens};

/// A query: a table and what is done to its rows, in order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Query {
    pub(crate) table: String,
    pub(crate) steps: Vec<Step>,
}

/// One step of a pipeline.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    Where(Expr),
    Project(Vec<(String, Expr)>),
    ProjectAway(Vec<String>),
    Extend(Vec<(String, Expr)>),
    Order(Vec<(Expr, bool)>),
    Summarize {
        counts: Vec<String>,
        by: Vec<(String, Expr)>,
    },
    Distinct(Vec<(String, Expr)>),
    Count,
    Take(u64),
}

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expr {
    Literal(Value),
    /// A column, and what is taken out of it.
    Path(Vec<String>),
    Call(String, Vec<Expr>),
    Binary(String, Box<Expr>, Box<Expr>),
    /// `in`, `in~`, `!in`, `!in~`.
    In(String, Box<Expr>, Vec<Expr>),
}

/// Functions that are known, with the numbers of arguments they take.
const FUNCTIONS: [(&str, usize, usize); 13] = [
    ("tolower", 1, 1),
    ("toupper", 1, 1),
    ("tostring", 1, 1),
    ("hash", 1, 2),
    ("isnull", 1, 1),
    ("isnotnull", 1, 1),
    ("isempty", 1, 1),
    ("isnotempty", 1, 1),
    ("not", 1, 1),
    ("strlen", 1, 1),
    ("strcat", 1, 64),
    ("toint", 1, 1),
    ("tolong", 1, 1),
];

/// Operators that are words.
const WORD_OPERATORS: [&str; 9] = [
    "contains",
    "!contains",
    "startswith",
    "!startswith",
    "endswith",
    "!endswith",
    "has",
    "!has",
    "contains_cs",
];

/// Parses a query.
pub(crate) fn parse(text: &str) -> Result<Query, Refusal> {
    let mut parser = Parser {
        tokens: tokens(text)?,
        at: 0,
    };
    let table = parser.word("a table name")?.to_ascii_lowercase();
    let mut steps = Vec::new();
    while parser.sign("|") {
        steps.push(parser.step()?);
    }
    parser.end()?;
    Ok(Query { table, steps })
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    at: usize,
}

impl Parser {
    fn position(&self) -> usize {
        let here = self.tokens.get(self.at).or_else(|| self.tokens.last());
        here.map_or(0, |(position, _)| *position)
    }

    fn refuse<T>(&self, message: impl Into<String>) -> Result<T, Refusal> {
        Err(Refusal::new(self.position(), message))
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    fn sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(here)) if *here == sign);
        self.at += usize::from(found);
        found
    }

    fn need(&mut self, sign: &str) -> Result<(), Refusal> {
        if self.sign(sign) {
            Ok(())
        } else {
            self.refuse(format!("expected '{sign}'"))
        }
    }

    fn word_is(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(here)) if here.eq_ignore_ascii_case(word));
        self.at += usize::from(found);
        found
    }

    fn word(&mut self, what: &str) -> Result<String, Refusal> {
        let Some(Token::Word(word)) = self.peek() else {
            return self.refuse(format!("expected {what}"));
        };
        let word = word.clone();
        self.at += 1;
        Ok(word)
    }

    fn end(&self) -> Result<(), Refusal> {
        if self.peek().is_some() {
            self.refuse("unexpected text behind the query")
        } else {
            Ok(())
        }
    }

    fn step(&mut self) -> Result<Step, Refusal> {
        let name = self.word("an operator")?.to_ascii_lowercase();
        match name.as_str() {
            "where" => self.expr().map(Step::Where),
            // The lexer cuts `project-away` at its hyphen.
            "project" if self.sign("-") => {
                if !self.word_is("away") {
                    return self.refuse("of the project-… operators only project-away is supported");
                }
                self.names().map(Step::ProjectAway)
            }
            "project" => self.columns().map(Step::Project),
            "extend" => self.columns().map(Step::Extend),
            "distinct" => self.columns().map(Step::Distinct),
            "order" | "sort" => self.order(),
            "summarize" => self.summarize(),
            "count" => Ok(Step::Count),
            "take" | "limit" => match self.peek() {
                Some(&Token::Number(number)) => {
                    self.at += 1;
                    u64::try_from(number)
                        .map(Step::Take)
                        .or_else(|_| self.refuse("a count is not negative"))
                }
                _ => self.refuse("expected a number"),
            },
            other => {
                let message = format!("the operator '{other}' is not supported");
                self.refuse(message)
            }
        }
    }

    fn names(&mut self) -> Result<Vec<String>, Refusal> {
        let mut names = vec![self.word("a column")?];
        while self.sign(",") {
            names.push(self.word("a column")?);
        }
        Ok(names)
    }

    fn columns(&mut self) -> Result<Vec<(String, Expr)>, Refusal> {
        let mut columns = vec![self.column()?];
        while self.sign(",") {
            columns.push(self.column()?);
        }
        Ok(columns)
    }

    fn column(&mut self) -> Result<(String, Expr), Refusal> {
        if let (Some(Token::Word(name)), Some((_, Token::Sign("=")))) = (self.peek(), self.tokens.get(self.at + 1)) {
            let name = name.clone();
            self.at += 2;
            return Ok((name, self.expr()?));
        }
        let start = self.at;
        let expr = self.expr()?;
        let name = match &expr {
            // Kusto names a nested value after its whole path.
            Expr::Path(path) => path.join("_"),
            Expr::Literal(_) | Expr::Call(..) | Expr::Binary(..) | Expr::In(..) => format!("Column{}", start + 1),
        };
        Ok((name, expr))
    }

    fn order(&mut self) -> Result<Step, Refusal> {
        if !self.word_is("by") {
            return self.refuse("expected 'by'");
        }
        let mut keys = Vec::new();
        loop {
            let key = self.expr()?;
            // Kusto sorts descending unless told otherwise.
            let ascending = self.word_is("asc");
            if !ascending {
                self.word_is("desc");
            }
            keys.push((key, !ascending));
            if !self.sign(",") {
                return Ok(Step::Order(keys));
            }
        }
    }

    fn summarize(&mut self) -> Result<Step, Refusal> {
        let mut counts = Vec::new();
        loop {
            let mut name = "count_".to_owned();
            let mut function = self.word("an aggregate")?;
            if self.sign("=") {
                name = function;
                function = self.word("an aggregate")?;
            }
            if !function.eq_ignore_ascii_case("count") {
                return self.refuse("count() is the only aggregate that is supported");
            }
            self.need("(")?;
            self.need(")")?;
            counts.push(name);
            if !self.sign(",") {
                break;
            }
        }
        let by = if self.word_is("by") {
            self.columns()?
        } else {
            Vec::new()
        };
        Ok(Step::Summarize { counts, by })
    }

    fn expr(&mut self) -> Result<Expr, Refusal> {
        let mut left = self.conjunction()?;
        while self.word_is("or") {
            left = binary("or", left, self.conjunction()?);
        }
        Ok(left)
    }

    fn conjunction(&mut self) -> Result<Expr, Refusal> {
        let mut left = self.comparison()?;
        while self.word_is("and") {
            left = binary("and", left, self.comparison()?);
        }
        Ok(left)
    }

    fn comparison(&mut self) -> Result<Expr, Refusal> {
        let left = self.sum()?;
        for sign in ["=~", "!~", "==", "!=", "<=", ">=", "<", ">"] {
            if self.sign(sign) {
                return Ok(binary(sign, left, self.sum()?));
            }
        }
        let Some(Token::Word(word)) = self.peek() else {
            return Ok(left);
        };
        let word = word.to_ascii_lowercase();
        if WORD_OPERATORS.contains(&word.as_str()) {
            self.at += 1;
            return Ok(binary(&word, left, self.sum()?));
        }
        if matches!(word.as_str(), "in" | "in~" | "!in" | "!in~") {
            self.at += 1;
            self.need("(")?;
            let mut items = vec![self.sum()?];
            while self.sign(",") {
                items.push(self.sum()?);
            }
            self.need(")")?;
            return Ok(Expr::In(word, Box::new(left), items));
        }
        Ok(left)
    }

    fn sum(&mut self) -> Result<Expr, Refusal> {
        let mut left = self.primary()?;
        loop {
            let sign = ["%", "+", "-"].into_iter().find(|sign| self.sign(sign));
            let Some(sign) = sign else { return Ok(left) };
            left = binary(sign, left, self.primary()?);
        }
    }

    fn primary(&mut self) -> Result<Expr, Refusal> {
        if self.sign("(") {
            let inner = self.expr()?;
            self.need(")")?;
            return Ok(inner);
        }
        let Some(token) = self.peek().cloned() else {
            return self.refuse("the query ends too early");
        };
        match token {
            Token::Text(text) => {
                self.at += 1;
                Ok(Expr::Literal(Value::String(text)))
            }
            Token::Number(number) => {
                self.at += 1;
                Ok(Expr::Literal(Value::from(number)))
            }
            Token::Word(word) => {
                self.at += 1;
                self.named(word)
            }
            Token::Sign(sign) => self.refuse(format!("unexpected '{sign}'")),
        }
    }

    fn named(&mut self, word: String) -> Result<Expr, Refusal> {
        match word.to_ascii_lowercase().as_str() {
            "true" => return Ok(Expr::Literal(Value::Bool(true))),
            "false" => return Ok(Expr::Literal(Value::Bool(false))),
            _ => {}
        }
        if self.sign("(") {
            return self.call(&word);
        }
        let mut path = vec![word];
        loop {
            if self.sign(".") {
                path.push(self.word("a property")?);
            } else if self.sign("[") {
                let Some(Token::Text(key)) = self.peek().cloned() else {
                    return self.refuse("expected a quoted property");
                };
                self.at += 1;
                self.need("]")?;
                path.push(key);
            } else {
                return Ok(Expr::Path(path));
            }
        }
    }

    fn call(&mut self, word: &str) -> Result<Expr, Refusal> {
        let name = word.to_ascii_lowercase();
        let known = FUNCTIONS.into_iter().find(|(known, _, _)| *known == name);
        let Some((_, least, most)) = known else {
            return self.refuse(format!("the function '{word}' is not supported"));
        };
        let mut arguments = Vec::new();
        if !self.sign(")") {
            arguments.push(self.expr()?);
            while self.sign(",") {
                arguments.push(self.expr()?);
            }
            self.need(")")?;
        }
        if arguments.len() < least || arguments.len() > most {
            return self.refuse(format!("wrong number of arguments for '{word}'"));
        }
        Ok(Expr::Call(name, arguments))
    }
}

fn binary(operator: &str, left: Expr, right: Expr) -> Expr {
    Expr::Binary(operator.to_owned(), Box::new(left), Box::new(right))
}
