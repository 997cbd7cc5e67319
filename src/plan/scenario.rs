//! Small directories and files as text, for tests: rows in, decisions out.
//!
//! Each line is one user or row: external ID, email, badge number and username, then any of `inactive`, `protected`,
//! `role=`, `rank=`, `group=`, `phone=`, `first=`, `last=` and `> EMAIL` (the supervisor; `> -` is blank). In a row,
//! `-` is blank, `_` is absent and `!value` is a value that failed its check. `misfit` is a record with a wrong number
//! of fields. `header again` is a record that repeats the header and lists no user. Groups: G1, and G2, which is
//! inactive. Roles: Officer, and Admin, which is privileged.

use std::collections::HashMap;
use std::fmt::Write as _;

use uuid::Uuid;

use super::{
    ByRow, DenseIndex, DigestKey, MatchBy, MissingUsersScope, Plan, PlanPermissions, PlanRequest,
    PlanningTerms, RowIndex, RowMatching, WriteSchedule, plan,
};
use crate::domain::{
    Catalog, Column, ForeignLine, Group, GroupId, Issue, LengthUnit, Rank, RankId, Role, RoleId,
    Row, RowParts, SnapshotExtent, Status, User, ValueFault, has_artifact, is_date_like,
};

/// Everything that a plan is made of.
pub(super) struct Scenario {
    pub(super) request: PlanRequest,
}

impl Scenario {
    pub(super) fn parse(directory: &str, rows: &str) -> Self {
        let rows = lines(rows).zip(1..).map(|(line, n)| row(line, n));
        Self::new(users(directory, &catalog()), rows.collect())
    }

    pub(super) fn new(users: Vec<User>, rows: ByRow<Row>) -> Self {
        let terms = PlanningTerms {
            scope: None,
            matching: RowMatching::ByKeys(None),
            permitted: PlanPermissions::EVERYTHING,
            file_columns: std::sync::Arc::default(),
            digest_key: DigestKey::new(&[7; 32]),
        };
        Self {
            request: PlanRequest::new(
                rows.into(),
                (users, SnapshotExtent::Complete),
                catalog(),
                Uuid::from_u128(7),
                terms,
            ),
        }
    }

    pub(super) fn deactivating_missing(mut self, scope: MissingUsersScope) -> Self {
        self.request.terms.scope = Some(scope);
        self
    }

    pub(super) fn matching_by(self, match_by: Option<MatchBy>) -> Self {
        let PlanRequest {
            rows,
            snapshot,
            catalog,
            import_id,
            mut terms,
        } = self.request;
        terms.matching = RowMatching::ByKeys(match_by);
        let users = (snapshot.users().to_vec(), SnapshotExtent::Complete);
        Self {
            request: PlanRequest::new(rows, users, catalog, import_id, terms),
        }
    }

    pub(super) fn permitting(mut self, permitted: PlanPermissions) -> Self {
        self.request.terms.permitted = permitted;
        self
    }

    pub(super) fn plan(&self) -> Plan {
        plan(self.request.clone())
    }

    /// Returns one line for each row: number, outcome, changed columns if updated, and issues.
    pub(super) fn decided(&self) -> String {
        let plan = self.plan();
        let lines = plan.decisions.enumerate().map(|(row, decision)| {
            let mut line = format!("{} {:?}", row.position() + 1, decision.outcome);
            if self.request.user_of(row).is_some() {
                for column in decision.changes.iter() {
                    write!(line, " {column}").unwrap();
                }
            }
            let issues = plan.issues(row);
            issues.iter().map(show).for_each(|issue| line += &issue);
            line
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Returns the external IDs of the users to deactivate as missing.
    pub(super) fn missing(&self) -> Vec<&str> {
        let users = self.request.snapshot.users();
        let missing = self.plan().deactivations;
        missing
            .iter()
            .map(|&user| users[user].external_id())
            .collect()
    }

    /// Returns the groups of the write order, as row numbers.
    pub(super) fn written(&self) -> Vec<Vec<usize>> {
        let number = |row: &RowIndex| row.position() + 1;
        let groups = groups(&self.plan()).into_iter();
        groups
            .map(|group| group.iter().map(number).collect())
            .collect()
    }
}

/// Returns the groups of rows that share a transaction, in the order in which they are written.
pub(super) fn groups(plan: &Plan) -> Vec<Vec<RowIndex>> {
    let mut schedule = WriteSchedule::new(plan.order.clone());
    let groups = std::iter::repeat_with(|| schedule.take(1));
    groups.take_while(|group| !group.is_empty()).collect()
}

/// Asserts that `rows` are decided on `directory` as `expected`, line by line.
#[track_caller]
pub(super) fn decides(directory: &str, rows: &str, expected: &str) {
    let expected = lines(expected).collect::<Vec<_>>().join("\n");
    assert_eq!(Scenario::parse(directory, rows).decided(), expected);
}

pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

fn show(issue: &Issue) -> String {
    let mut shown = format!(
        " {}{:?}",
        if issue.is_error() { "" } else { "~" },
        issue.code
    );
    let column = issue.column.map(Column::header).unwrap_or_default();
    write!(shown, "({column}").unwrap();
    if !issue.related_external_id.is_empty() {
        write!(shown, " of {}", issue.related_external_id).unwrap();
    }
    if let Some(row) = issue.related_row {
        write!(shown, " row {row}").unwrap();
    }
    shown + ")"
}

pub(super) fn catalog() -> Catalog {
    let group = |n, external_id: &str, active| Group {
        id: GroupId::new(n).unwrap(),
        external_id: external_id.to_owned(),
        name: format!("Group {n}"),
        active,
    };
    let role = |n, name: &str| Role {
        id: RoleId(n),
        name: name.to_owned(),
        privileged: name == "Admin",
    };
    let rank = |n, name: &str| Rank {
        id: RankId::new(n).unwrap(),
        name: name.to_owned(),
    };
    Catalog {
        roles: vec![role(1, "Admin"), role(2, "Officer")],
        ranks: vec![rank(1, "Captain"), rank(2, "Sergeant")],
        groups: vec![group(1, "G1", true), group(2, "G2", false)],
        ..Catalog::default()
    }
}

fn users(text: &str, catalog: &Catalog) -> Vec<User> {
    let parsed: Vec<ScenarioLine> = lines(text).map(ScenarioLine::parse).collect();
    let emails = parsed.iter().map(|line| line.keys[1]);
    let ids: HashMap<&str, Uuid> = emails.zip((1..).map(Uuid::from_u128)).collect();
    let id_of = |email: &str| ids[email];
    let user = |line: &ScenarioLine<'_>| {
        let role = find_role(catalog, line.named("role").unwrap_or("Officer"));
        let mut user = User::new(id_of(line.keys[1]), role, |column| line.text(column));
        user.status = Status::parse(line.status()).unwrap();
        user.protected = line.has("protected");
        user.rank = line.named("rank").map(|name| find_rank(catalog, name));
        user.group = line.named("group").map(|name| find_group(catalog, name));
        user.supervisor = line.supervisor.map(id_of);
        user
    };
    parsed.iter().map(user).collect()
}

fn find_role(catalog: &Catalog, name: &str) -> RoleId {
    catalog.roles.iter().find(|r| r.name == name).unwrap().id
}

fn find_rank(catalog: &Catalog, name: &str) -> RankId {
    catalog.ranks.iter().find(|r| r.name == name).unwrap().id
}

fn find_group(catalog: &Catalog, name: &str) -> GroupId {
    let mut groups = catalog.groups.iter();
    groups.find(|g| g.external_id == name).unwrap().id
}

fn row(line: &str, number: u32) -> Row {
    if let Some(fault) = record_fault(line) {
        return Row::new(&RowParts {
            number,
            faults: vec![(None, fault)],
            ..RowParts::default()
        });
    }
    let line = ScenarioLine::parse(line);
    let [external_id, email, badge_number, username] = line.keys;
    let mut cells = [const { None }; Column::COUNT];
    let mut faults = Vec::new();
    let mut set = |column: Column, text| {
        let (value, fault) = cell(column, text);
        cells[column as usize] = value;
        faults.extend(fault.map(|fault| (Some(column), fault)));
    };
    set(Column::ExternalId, external_id);
    set(Column::Email, email);
    set(Column::BadgeNumber, badge_number);
    set(Column::Username, username);
    set(
        Column::Status,
        line.named("status").unwrap_or(line.status()),
    );
    set(Column::Role, line.named("role").unwrap_or("Officer"));
    set(Column::FirstName, line.named("first").unwrap_or("Kim"));
    set(Column::LastName, line.named("last").unwrap_or("Doe"));
    set(Column::SupervisorEmail, line.supervisor.unwrap_or("_"));
    set(Column::Rank, line.named("rank").unwrap_or("_"));
    set(
        Column::EvidenceGroupExtId,
        line.named("group").unwrap_or("_"),
    );
    set(Column::Phone, line.named("phone").unwrap_or("_"));
    faults.sort_by_key(|&(column, _)| column);
    let is_suspect = [external_id, badge_number, username]
        .into_iter()
        .any(has_artifact)
        || is_date_like(badge_number);
    Row::new(&RowParts {
        number,
        line: number + 1,
        values: cells,
        faults,
        is_suspect,
        ..RowParts::default()
    })
}

/// Returns the fault that the line stands for, or `None` if the line is a row.
fn record_fault(line: &str) -> Option<ValueFault> {
    match line {
        "misfit" => Some(ValueFault::FieldCount {
            expected: 13_u32.into(),
            found: 12_u32.into(),
        }),
        "header again" => Some(ValueFault::NotARow(ForeignLine::Header)),
        _ => None,
    }
}

/// Returns the value that `text` stands for, and the fault that its check found.
fn cell(column: Column, text: &str) -> (Option<&str>, Option<ValueFault>) {
    let failed = ValueFault::TooLong {
        actual: 1_000_u32.into(),
        limit: 100,
        unit: LengthUnit::Characters,
    };
    match text {
        "_" | "-" if column.is_required() => {
            let value = (text == "-").then_some("");
            (value, Some(ValueFault::Blank))
        }
        "_" => (None, None),
        "-" => (Some(""), None),
        _ => match text.strip_prefix('!') {
            Some(value) => (Some(value), Some(failed)),
            None => (Some(text), None),
        },
    }
}

/// The words of a line.
struct ScenarioLine<'a> {
    keys: [&'a str; 4],
    supervisor: Option<&'a str>,
    options: Vec<&'a str>,
}

impl<'a> ScenarioLine<'a> {
    fn parse(line: &'a str) -> Self {
        let mut words = line.split_whitespace();
        let keys = [(); 4].map(|()| words.next().unwrap());
        let mut supervisor = None;
        let mut options = Vec::new();
        while let Some(word) = words.next() {
            match word {
                ">" => supervisor = words.next(),
                _ => options.push(word),
            }
        }
        Self {
            keys,
            supervisor,
            options,
        }
    }

    fn has(&self, option: &str) -> bool {
        self.options.contains(&option)
    }

    fn status(&self) -> &'static str {
        if self.has("inactive") {
            "Inactive"
        } else {
            "Active"
        }
    }

    fn named(&self, option: &str) -> Option<&'a str> {
        let mut pairs = self.options.iter().filter_map(|word| word.split_once('='));
        pairs
            .find(|(name, _)| *name == option)
            .map(|(_, value)| value)
    }

    /// Returns the text that a user has in `column`.
    fn text(&self, column: Column) -> &'a str {
        let [external_id, email, badge_number, username] = self.keys;
        match column {
            Column::ExternalId => external_id,
            Column::Email => email,
            Column::BadgeNumber => badge_number,
            Column::Username => username,
            Column::FirstName => self.named("first").unwrap_or("Kim"),
            Column::LastName => self.named("last").unwrap_or("Doe"),
            Column::Phone => self.named("phone").unwrap_or_default(),
            _ => "",
        }
    }
}
