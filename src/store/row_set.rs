//! Many rows in one statement: the only place that binds lists. On `PostgreSQL` a statement binds one array for
//! each column (UNNEST), on SQLite a list of VALUES, up to 2,048 rows a statement. There are few different
//! statements, so that each is prepared once.

use sea_orm::{Value, sea_query::ArrayType};
use uuid::Uuid;

use super::{StoreError, sql::SqlDialect};

/// Rows of one statement on SQLite, which takes 32,766 values at most. They are many, because each statement that sets
/// references keeps a copy of every page that it changes, in case it fails.
const SQLITE_ROWS: usize = 2_048;

/// The most rows and deactivations of an import whose transactions are [`WriteVolume::Few`](super::WriteVolume).
pub(crate) const FEW_ROWS: usize = 16;

/// The values of one column, one for each row. Nullable kinds have a stand-in for NULL that no real value equals:
/// the empty text, the nil UUID, the number 0.
#[derive(Debug)]
pub(super) enum ColumnValues<'a> {
    Uuid(&'a [Uuid]),
    Text(&'a TextColumn),
    /// The forms in which the texts of the preceding column compare, and these texts; most often they are equal.
    Key(&'a TextColumn, &'a TextColumn),
    Integer(&'a [i32]),
    Boolean(&'a [bool]),
    NullableUuid(&'a [Uuid]),
    NullableText(&'a TextColumn),
    NullableInteger(&'a [i32]),
}

/// Between texts; no value has a control character (semantics §2).
const SEPARATOR: char = '\u{1F}';

/// A column of texts, joined: one allocation and one bound value, however many texts there are.
#[derive(Debug, Default)]
pub(super) struct TextColumn {
    /// Each text follows a separator.
    joined: String,
    ends: Vec<usize>,
}

impl TextColumn {
    /// Adds a text without control characters.
    pub(super) fn push(&mut self, text: &str) {
        self.joined.push(SEPARATOR);
        self.joined.push_str(text);
        self.ends.push(self.joined.len());
    }

    fn len(&self) -> usize {
        self.ends.len()
    }

    fn get(&self, index: usize) -> &str {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.joined[start + SEPARATOR.len_utf8()..self.ends[index]]
    }
}

/// The value that a statement binds for a list of texts without control characters, however many there are.
pub(super) fn text_list(dialect: SqlDialect, texts: &[String]) -> Result<Value, StoreError> {
    if dialect == SqlDialect::Sqlite {
        let list = serde_json::to_string(texts).map_err(StoreError::encoding)?;
        return Ok(list.into());
    }
    let mut column = TextColumn::default();
    for text in texts {
        column.push(text);
    }
    Ok(column.joined.into())
}

/// A table `p` whose column `k` has the texts of parameter number `parameter`, a [`text_list`].
pub(super) fn listed_texts(dialect: SqlDialect, parameter: usize) -> String {
    match dialect {
        SqlDialect::Postgres => {
            let texts = split_texts(parameter);
            format!("unnest({texts}) AS p(k)")
        }
        SqlDialect::Sqlite => format!("(SELECT value AS k FROM json_each(${parameter})) AS p"),
    }
}

/// On `PostgreSQL`: the texts of parameter number `parameter`, which are joined. The first element is what precedes
/// the first separator: nothing.
fn split_texts(parameter: usize) -> String {
    let separator = u32::from(SEPARATOR);
    format!("(string_to_array(${parameter}, chr({separator})))[2:]")
}

/// The rows of a write, column by column.
#[derive(Debug)]
pub(super) struct RowSet<'a> {
    columns: Vec<(&'static str, ColumnValues<'a>)>,
}

/// The rows of one statement.
#[derive(Debug)]
pub(super) struct RowSource {
    /// A subquery named `r` with the row set's columns.
    pub(super) sql: String,
    /// Its bound values, from number 1 on.
    pub(super) values: Vec<Value>,
    /// How many rows it has.
    pub(super) rows: usize,
}

impl<'a> RowSet<'a> {
    /// Rows with these columns. All columns must have the same length.
    pub(super) const fn new(columns: Vec<(&'static str, ColumnValues<'a>)>) -> Self {
        Self { columns }
    }

    /// The names of the columns, in order.
    pub(super) fn names(&self) -> Vec<&'static str> {
        self.columns.iter().map(|(name, _)| *name).collect()
    }

    fn len(&self) -> usize {
        self.columns.first().map_or(0, |(_, column)| column.len())
    }

    /// The rows, one source for each statement that they take, in order.
    pub(super) fn sources(
        &self,
        dialect: SqlDialect,
    ) -> Box<dyn Iterator<Item = RowSource> + Send + '_> {
        if self.len() == 0 {
            Box::new(std::iter::empty())
        } else if dialect == SqlDialect::Postgres {
            Box::new(std::iter::once(self.unnest()))
        } else {
            Box::new(parts(self.len()).map(move |(start, rows)| self.list(start, rows)))
        }
    }

    fn unnest(&self) -> RowSource {
        let mut selected = Vec::new();
        let mut arrays = Vec::new();
        let mut names = Vec::new();
        for (index, (name, column)) in self.columns.iter().enumerate() {
            let (of, null) = column.postgres_type();
            selected.push(null.map_or_else(
                || (*name).to_owned(),
                |null| format!("nullif({name}, {null}) AS {name}"),
            ));
            arrays.push(column.postgres_array(index + 1, of));
            names.push(*name);
        }
        let sql = format!(
            "(SELECT {} FROM unnest({}) AS u({})) AS r",
            selected.join(", "),
            arrays.join(", "),
            names.join(", ")
        );
        RowSource {
            sql,
            values: self.columns.iter().map(|(_, c)| c.array()).collect(),
            rows: self.len(),
        }
    }

    /// Its placeholders have no numbers: SQLite searches the list for each number, which makes the cost quadratic.
    fn list(&self, start: usize, rows: usize) -> RowSource {
        let named = |(index, (name, column)): (usize, &(&str, ColumnValues<'_>))| match column {
            ColumnValues::Key(..) => {
                format!("coalesce(column{index}, column{}) AS {name}", index - 1)
            }
            _ => format!("column{index} AS {name}"),
        };
        let names: Vec<String> = (1..).zip(&self.columns).map(named).collect();
        let row = format!("({})", vec!["?"; names.len()].join(","));
        let sql = format!(
            "(SELECT {} FROM (VALUES {})) AS r",
            names.join(", "),
            vec![row.as_str(); rows].join(",")
        );
        let cells = |row| self.columns.iter().map(move |(_, column)| column.cell(row));
        RowSource {
            sql,
            values: (start..start + rows).flat_map(cells).collect(),
            rows,
        }
    }
}

/// Splits `rows` into stretches (start, length) of few different lengths: full ones, then powers of two. Few rows stay
/// together, since new users may refer to each other, and SQLite then checks that after each statement
/// ([`WriteVolume::Few`](super::WriteVolume)).
fn parts(rows: usize) -> impl Iterator<Item = (usize, usize)> + Send {
    let mut start = 0;
    std::iter::from_fn(move || {
        let left = rows - start;
        let length = match left {
            0 => return None,
            SQLITE_ROWS.. => SQLITE_ROWS,
            _ if rows <= FEW_ROWS => left,
            _ => 1 << left.ilog2(),
        };
        start += length;
        Some((start - length, length))
    })
}

impl ColumnValues<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Uuid(v) | Self::NullableUuid(v) => v.len(),
            Self::Text(v) | Self::Key(v, _) | Self::NullableText(v) => v.len(),
            Self::Integer(v) | Self::NullableInteger(v) => v.len(),
            Self::Boolean(v) => v.len(),
        }
    }

    /// Parameter number `index` as an array with elements `of` this type. Texts are bound as one joined text: the
    /// driver would copy an array of them element by element, several times.
    fn postgres_array(&self, index: usize, of: &str) -> String {
        match self {
            Self::Text(_) | Self::Key(..) | Self::NullableText(_) => split_texts(index),
            _ => format!("${index}::{of}[]"),
        }
    }

    /// The element type, and the stand-in for NULL if the column is nullable.
    const fn postgres_type(&self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Uuid(_) => ("uuid", None),
            Self::Text(_) | Self::Key(..) => ("text", None),
            Self::Integer(_) => ("integer", None),
            Self::Boolean(_) => ("boolean", None),
            Self::NullableUuid(_) => ("uuid", Some("'00000000-0000-0000-0000-000000000000'::uuid")),
            Self::NullableText(_) => ("text", Some("''")),
            Self::NullableInteger(_) => ("integer", Some("0")),
        }
    }

    fn array(&self) -> Value {
        match self {
            Self::Uuid(v) | Self::NullableUuid(v) => array(ArrayType::Uuid, v),
            Self::Text(v) | Self::Key(v, _) | Self::NullableText(v) => v.joined.clone().into(),
            Self::Integer(v) | Self::NullableInteger(v) => array(ArrayType::Int, v),
            Self::Boolean(v) => array(ArrayType::Bool, v),
        }
    }

    fn cell(&self, row: usize) -> Value {
        match self {
            Self::NullableUuid(v) if v[row].is_nil() => Value::Uuid(None),
            Self::NullableText(v) if v.get(row).is_empty() => Value::String(None),
            Self::Key(v, text) if v.get(row) == text.get(row) => Value::String(None),
            Self::NullableInteger(v) if v[row] == 0 => Value::Int(None),
            Self::Uuid(v) | Self::NullableUuid(v) => v[row].into(),
            Self::Text(v) | Self::Key(v, _) | Self::NullableText(v) => v.get(row).into(),
            Self::Integer(v) | Self::NullableInteger(v) => v[row].into(),
            Self::Boolean(v) => v[row].into(),
        }
    }
}

fn array<T: Clone + Into<Value>>(of: ArrayType, values: &[T]) -> Value {
    let values = values.iter().cloned().map(Into::into).collect();
    Value::Array(of, Some(Box::new(values)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_split_into_stretches_of_few_lengths() {
        let lengths = |rows| parts(rows).map(|(_, length)| length).collect::<Vec<_>>();
        assert_eq!(lengths(0), [0; 0]);
        assert_eq!(lengths(1), [1]);
        assert_eq!(lengths(7), [7]);
        assert_eq!(lengths(FEW_ROWS), [FEW_ROWS]);
        assert_eq!(lengths(23), [16, 4, 2, 1]);
        assert_eq!(lengths(4_099), [2_048, 2_048, 2, 1]);
    }

    #[test]
    fn the_stretches_follow_each_other() {
        let starts: Vec<usize> = parts(23).map(|(start, _)| start).collect();
        assert_eq!(starts, [0, 16, 20, 22]);
    }

    #[test]
    fn empty_texts_stay_apart() {
        let mut texts = TextColumn::default();
        for text in ["", "añ", "", "x"] {
            texts.push(text);
        }
        let all: Vec<&str> = (0..texts.len()).map(|index| texts.get(index)).collect();
        assert_eq!(all, ["", "añ", "", "x"]);
        assert_eq!(texts.joined, "\u{1F}\u{1F}añ\u{1F}\u{1F}x");
    }

    #[test]
    fn a_key_is_bound_only_if_it_differs_from_its_text() {
        let (mut emails, mut keys) = (TextColumn::default(), TextColumn::default());
        for (email, key) in [("a@x", "a@x"), ("B@x", "b@x")] {
            emails.push(email);
            keys.push(key);
        }
        let rows = RowSet::new(vec![
            ("email", ColumnValues::Text(&emails)),
            ("email_key", ColumnValues::Key(&keys, &emails)),
        ]);
        let source = rows.sources(SqlDialect::Sqlite).next().expect("one");
        assert_eq!(
            source.sql,
            "(SELECT column1 AS email, coalesce(column2, column1) AS email_key \
             FROM (VALUES (?,?),(?,?))) AS r"
        );
        let expected: [Value; 4] = [
            "a@x".into(),
            Value::String(None),
            "B@x".into(),
            "b@x".into(),
        ];
        assert_eq!(source.values, expected);
        let source = rows.sources(SqlDialect::Postgres).next().expect("one");
        assert_eq!(source.values[1], "\u{1F}a@x\u{1F}b@x".into());
    }

    #[test]
    fn a_list_binds_each_value_row_by_row() {
        let ids = [Uuid::nil(), Uuid::max()];
        let ranks = [0, 7];
        let rows = RowSet::new(vec![
            ("id", ColumnValues::Uuid(&ids)),
            ("rank_id", ColumnValues::NullableInteger(&ranks)),
        ]);
        let source = rows.sources(SqlDialect::Sqlite).next().expect("one");
        assert_eq!(
            source.sql,
            "(SELECT column1 AS id, column2 AS rank_id FROM (VALUES (?,?),(?,?))) AS r"
        );
        let expected: [Value; 4] = [ids[0].into(), Value::Int(None), ids[1].into(), 7.into()];
        assert_eq!(source.values, expected);
    }
}
