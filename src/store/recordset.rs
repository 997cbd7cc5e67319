//! Many rows in one statement, whatever the database: arrays with UNNEST on `PostgreSQL`, one JSON
//! text on SQLite. The number of binds does not depend on the number of rows, so neither does the
//! statement, and it is prepared once.

use sea_orm::{DbBackend, Value, sea_query::ArrayType};
use serde::{Serialize, Serializer};
use uuid::Uuid;

use super::StoreError;

/// The values of one column, one a row. Nullable kinds have a stand-in for NULL, which no real
/// value equals: the empty text, the nil UUID, the number 0.
#[derive(Debug)]
pub(super) enum Values {
    Uuid(Vec<Uuid>),
    Text(Vec<String>),
    Integer(Vec<i32>),
    Boolean(Vec<bool>),
    NullableUuid(Vec<Uuid>),
    NullableText(Vec<String>),
    NullableInteger(Vec<i32>),
}

/// Rows as columns.
#[derive(Debug)]
pub(super) struct Recordset {
    columns: Vec<(&'static str, Values)>,
}

impl Recordset {
    /// Rows with these columns, all of the same length.
    pub(super) const fn new(columns: Vec<(&'static str, Values)>) -> Self {
        Self { columns }
    }

    /// A subquery named `r` with these columns; appends what it binds to `values`.
    pub(super) fn source(
        self,
        backend: DbBackend,
        values: &mut Vec<Value>,
    ) -> Result<String, StoreError> {
        if backend == DbBackend::Postgres {
            Ok(self.unnest(values))
        } else {
            self.json_each(values)
        }
    }

    fn unnest(self, values: &mut Vec<Value>) -> String {
        let mut selected = Vec::new();
        let mut arrays = Vec::new();
        let mut names = Vec::new();
        for (name, column) in self.columns {
            let (of, null) = column.postgres_type();
            selected.push(null.map_or_else(
                || name.to_owned(),
                |null| format!("nullif({name}, {null}) AS {name}"),
            ));
            values.push(column.into_array());
            arrays.push(format!("${}::{of}[]", values.len()));
            names.push(name);
        }
        format!(
            "(SELECT {} FROM unnest({}) AS u({})) AS r",
            selected.join(", "),
            arrays.join(", "),
            names.join(", ")
        )
    }

    fn json_each(self, values: &mut Vec<Value>) -> Result<String, StoreError> {
        let selected: Vec<String> = self
            .columns
            .iter()
            .enumerate()
            .map(|(index, (name, column))| format!("{} AS {name}", column.sqlite_expression(index)))
            .collect();
        values.push(Value::String(Some(self.into_json()?)));
        // Materialised, or SQLite may read the whole text again for each user of the organisation.
        Ok(format!(
            "(WITH given AS MATERIALIZED (SELECT {} FROM json_each(${})) SELECT * FROM given) AS r",
            selected.join(", "),
            values.len()
        ))
    }

    /// One JSON array of arrays, a row each.
    fn into_json(self) -> Result<String, StoreError> {
        let rows = self.columns.first().map_or(0, |(_, column)| column.len());
        let columns: Vec<&Values> = self.columns.iter().map(|(_, column)| column).collect();
        let rows = (0..rows).map(|row| Row(&columns, row));
        let mut json = Vec::new();
        let mut serializer = serde_json::Serializer::new(&mut json);
        serializer.collect_seq(rows).map_err(StoreError::encoding)?;
        String::from_utf8(json).map_err(StoreError::encoding)
    }
}

/// One row of a recordset, as a JSON array.
struct Row<'a>(&'a [&'a Values], usize);

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|values| Cell(values, self.1)))
    }
}

/// One value of a recordset, as JSON.
struct Cell<'a>(&'a Values, usize);

impl Serialize for Cell<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(values, row) = *self;
        match values {
            Values::NullableUuid(v) if v[row].is_nil() => serializer.serialize_none(),
            Values::NullableText(v) if v[row].is_empty() => serializer.serialize_none(),
            Values::NullableInteger(v) if v[row] == 0 => serializer.serialize_none(),
            Values::Uuid(v) | Values::NullableUuid(v) => {
                let mut buffer = Uuid::encode_buffer();
                serializer.serialize_str(v[row].simple().encode_lower(&mut buffer))
            }
            Values::Text(v) | Values::NullableText(v) => serializer.serialize_str(&v[row]),
            Values::Integer(v) | Values::NullableInteger(v) => serializer.serialize_i32(v[row]),
            Values::Boolean(v) => serializer.serialize_bool(v[row]),
        }
    }
}

impl Values {
    fn len(&self) -> usize {
        match self {
            Self::Uuid(v) | Self::NullableUuid(v) => v.len(),
            Self::Text(v) | Self::NullableText(v) => v.len(),
            Self::Integer(v) | Self::NullableInteger(v) => v.len(),
            Self::Boolean(v) => v.len(),
        }
    }

    /// The element type, and the stand-in for NULL where the column is nullable.
    const fn postgres_type(&self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Uuid(_) => ("uuid", None),
            Self::Text(_) => ("text", None),
            Self::Integer(_) => ("integer", None),
            Self::Boolean(_) => ("boolean", None),
            Self::NullableUuid(_) => ("uuid", Some("'00000000-0000-0000-0000-000000000000'::uuid")),
            Self::NullableText(_) => ("text", Some("''")),
            Self::NullableInteger(_) => ("integer", Some("0")),
        }
    }

    fn into_array(self) -> Value {
        match self {
            Self::Uuid(v) | Self::NullableUuid(v) => array(ArrayType::Uuid, v),
            Self::Text(v) | Self::NullableText(v) => array(ArrayType::String, v),
            Self::Integer(v) | Self::NullableInteger(v) => array(ArrayType::Int, v),
            Self::Boolean(v) => array(ArrayType::Bool, v),
        }
    }

    fn sqlite_expression(&self, index: usize) -> String {
        match self {
            Self::Uuid(_) | Self::NullableUuid(_) => format!("unhex(value ->> '$[{index}]')"),
            _ => format!("value ->> '$[{index}]'"),
        }
    }
}

fn array<T: Into<Value>>(of: ArrayType, values: Vec<T>) -> Value {
    let values = values.into_iter().map(Into::into).collect();
    Value::Array(of, Some(Box::new(values)))
}
