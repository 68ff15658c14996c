//! Values and statements, from the way that the journal writes them to PostgreSQL's.

use std::error::Error;

use tokio_postgres::Row;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use super::connection::Trouble;
use crate::journal::database::Cell;

/// The type that a value is sent as: said for each parameter, for PostgreSQL would take the
/// `1` of `?1 + 1` for a small number.
pub(super) fn type_of(value: &Cell) -> Type {
    match value {
        Cell::Int(_) => Type::INT8,
        Cell::Text(_) => Type::TEXT,
        Cell::Null => Type::UNKNOWN,
    }
}

impl ToSql for Cell {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Cell::Null => Ok(IsNull::Yes),
            Cell::Int(number) => number.to_sql(ty, out),
            Cell::Text(text) => text.to_sql(ty, out),
        }
    }

    /// A parameter without a type of its own is only ever NULL.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A row, of types that both databases have.
pub(super) fn cells(row: &Row) -> Result<Vec<Cell>, Trouble> {
    (0..row.len()).map(|n| cell(row, n)).collect()
}

fn cell(row: &Row, n: usize) -> Result<Cell, Trouble> {
    fn get<'a, T: FromSql<'a>>(
        row: &'a Row,
        n: usize,
        make: impl FnOnce(T) -> Cell,
    ) -> Result<Cell, Trouble> {
        let value: Option<T> = row.try_get(n).map_err(Trouble::Postgres)?;
        Ok(value.map_or(Cell::Null, make))
    }
    let column = &row.columns()[n];
    match *column.type_() {
        Type::INT8 => get(row, n, Cell::Int),
        Type::INT4 => get(row, n, |number: i32| Cell::Int(number.into())),
        Type::INT2 => get(row, n, |number: i16| Cell::Int(number.into())),
        Type::BOOL => get(row, n, |truth: bool| Cell::Int(truth.into())),
        Type::TEXT | Type::VARCHAR | Type::NAME | Type::BPCHAR | Type::UNKNOWN => get(row, n, Cell::Text),
        ref other => Err(Trouble::Plain(format!(
            "column {} is of type {other}; expected BIGINT or TEXT: CAST it in the statement",
            column.name()
        ))),
    }
}

/// `?1` becomes `$1`, and the marks for locking rows become what they stand for. What stands
/// in quotes is left alone.
pub(super) fn translate(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len() + 32);
    let mut rest = sql;
    while let Some(c) = rest.chars().next() {
        let taken = match c {
            '\'' | '"' => {
                let end = rest[1..].find(c).map_or(rest.len(), |end| end + 2);
                out.push_str(&rest[..end]);
                end
            }
            '?' => {
                out.push('$');
                1
            }
            '/' if rest.starts_with(FOR_UPDATE.0) => push(&mut out, FOR_UPDATE),
            '/' if rest.starts_with(SKIP_LOCKED.0) => push(&mut out, SKIP_LOCKED),
            _ => {
                out.push(c);
                c.len_utf8()
            }
        };
        rest = &rest[taken..];
    }
    out
}

const FOR_UPDATE: (&str, &str) = ("/*for update*/", "FOR UPDATE");
const SKIP_LOCKED: (&str, &str) = ("/*skip locked*/", "FOR UPDATE SKIP LOCKED");

fn push(out: &mut String, (mark, meaning): (&str, &str)) -> usize {
    out.push_str(meaning);
    mark.len()
}

#[cfg(test)]
mod tests {
    use super::translate;

    #[test]
    fn statements_are_translated_outside_of_quotes() {
        for (ours, theirs) in [
            ("SELECT ?1, ?12", "SELECT $1, $12"),
            ("SELECT '?1', \"a?1\", 'it''s ?1', ?2", "SELECT '?1', \"a?1\", 'it''s ?1', $2"),
            ("SELECT k FROM t /*for update*/", "SELECT k FROM t FOR UPDATE"),
            ("SELECT k FROM t LIMIT ?1 /*skip locked*/", "SELECT k FROM t LIMIT $1 FOR UPDATE SKIP LOCKED"),
            ("SELECT 'é?1' || ?1 /* c */", "SELECT 'é?1' || $1 /* c */"),
            ("SELECT 'open", "SELECT 'open"),
        ] {
            assert_eq!(translate(ours), theirs);
        }
    }
}
