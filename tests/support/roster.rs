//! Rosters in few words: people with valid values derived from a name, and the values that differ.

use std::collections::BTreeMap;

use user_import::{domain::Column, proto::UserRow};

/// A roster, which can be sent as CSV or as typed rows.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    rows: Vec<BTreeMap<Column, String>>,
}

/// Returns a roster without rows.
pub fn roster() -> Roster {
    Roster::default()
}

impl Roster {
    /// Adds a person with valid values in all required columns, made from `name`. `differing` gives the values of
    /// further columns, or replaces values.
    pub fn row<'a>(
        mut self,
        name: &str,
        differing: impl IntoIterator<Item = (Column, &'a str)>,
    ) -> Self {
        let mut row = person(name);
        row.extend(differing.into_iter().map(|(c, v)| (c, v.to_owned())));
        self.rows.push(row);
        self
    }

    /// Adds a person for each name, as [`Roster::row`] does.
    pub fn people<'a>(self, names: impl IntoIterator<Item = &'a str>) -> Self {
        names
            .into_iter()
            .fold(self, |roster, name| roster.row(name, []))
    }

    /// Returns the columns that at least one row has, in the template's order.
    fn columns(&self) -> Vec<Column> {
        let used = |column: &Column| self.rows.iter().any(|row| row.contains_key(column));
        Column::ALL.into_iter().filter(used).collect()
    }

    /// Returns the rows as the lines of a CSV file. A row has a blank in a column that only other rows have.
    pub fn csv(&self) -> String {
        let columns = self.columns();
        let mut writer = csv::Writer::from_writer(Vec::new());
        let header = columns.iter().map(|column| column.header());
        writer.write_record(header).expect("memory can be written");
        for row in &self.rows {
            let record = columns
                .iter()
                .map(|c| row.get(c).map_or("", String::as_str));
            writer.write_record(record).expect("memory can be written");
        }
        let bytes = writer.into_inner().expect("memory can be flushed");
        String::from_utf8(bytes).expect("text was written")
    }

    /// Returns the same rows as typed data, with the same blanks as in [`Roster::csv`].
    pub fn typed(&self) -> Vec<UserRow> {
        let columns = self.columns();
        let typed = |row: &BTreeMap<Column, String>| {
            let mut typed = UserRow::default();
            for column in &columns {
                *typed.field_mut(*column) = Some(row.get(column).cloned().unwrap_or_default());
            }
            typed
        };
        self.rows.iter().map(typed).collect()
    }
}

impl From<&Roster> for Vec<u8> {
    fn from(roster: &Roster) -> Self {
        roster.csv().into_bytes()
    }
}

impl From<Roster> for Vec<u8> {
    fn from(roster: Roster) -> Self {
        Self::from(&roster)
    }
}

fn person(name: &str) -> BTreeMap<Column, String> {
    [
        (Column::ExternalId, name.to_owned()),
        (Column::Email, format!("{name}@pd.example")),
        (Column::BadgeNumber, format!("B-{name}")),
        (Column::FirstName, name.to_owned()),
        (Column::LastName, "Example".to_owned()),
        (Column::Status, "Active".to_owned()),
        (Column::Username, name.to_owned()),
        (Column::Role, "Officer".to_owned()),
    ]
    .into()
}
