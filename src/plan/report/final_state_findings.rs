//! The findings that need the final state: made once no rule rejects another row (semantics §5, end). These are the
//! warnings, and for a rejected row everything else that is wrong with its sound values, so that an administrator
//! corrects it once.

use std::collections::HashSet;

use super::missing_users::ZeroPaddedMatches;
use crate::domain::Status;
use crate::plan::index::{
    FinalUser, Key, OtherCaseMatches, RowIndex, SupervisorChange, UserIndex, ZeroPaddedKeys, held,
};
use crate::plan::judge::{Finding, Findings, JudgementState};

/// Adds to `findings` the errors and warnings that the final state shows. `missing` are the users about to be
/// deactivated.
pub(crate) fn add_final_state_findings(
    state: &JudgementState<'_>,
    missing: &HashSet<UserIndex>,
    alike: &ZeroPaddedMatches,
    findings: &mut Findings,
) {
    let other_case = OtherCaseMatches::find(state.roster);
    for row in state.roster.rows.indices() {
        if state.original(row).is_some() {
            continue;
        }
        if state.stands(row) {
            warn_of_inactive_supervisor(state, missing, row, findings);
        } else {
            find_taken_keys(state, row, findings);
            find_unknown_supervisor(state, row, findings);
        }
        if state.roster.request.is_undo() {
            // Nobody has typed these values.
            continue;
        }
        warn_of_lost_zeros(state, alike, row, findings);
        if let Some(user) = other_case.user(row) {
            warn_of_other_case(row, user, findings);
        }
        if state.roster.names_itself(row) {
            findings.push(row, Finding::SupervisorIsSelf);
        }
    }
}

/// Warns if the supervisor that the row names is inactive, or will be after the import. This is allowed.
fn warn_of_inactive_supervisor(
    state: &JudgementState<'_>,
    missing: &HashSet<UserIndex>,
    row: RowIndex,
    findings: &mut Findings,
) {
    let supervisor = state.asked_supervisor(state.roster.supervisor_change(row));
    let is_inactive = |person| match person {
        FinalUser::User(user) if missing.contains(&user) => true,
        _ => state.status(person) == Status::Inactive,
    };
    if supervisor.is_some_and(is_inactive) {
        findings.push(row, Finding::SupervisorInactive);
    }
}

/// Finds the unique values of a rejected row that another user has in the final state. Finds none if the row's user
/// cannot be identified: the holder might be that user.
fn find_taken_keys(state: &JudgementState<'_>, row: RowIndex, findings: &mut Findings) {
    if !state.roster.tells_its_user(row) {
        return;
    }
    let own = state.own_person(row);
    for key in Key::MOVABLE {
        let wanted = state.roster.wanted(key, row);
        let owner = wanted.and_then(|id| state.owner(key, id));
        let Some(holder) = owner.filter(|&owner| owner != own) else {
            continue;
        };
        let known = findings
            .of(row)
            .any(|known| says_taken(known, state, key, holder));
        if !known {
            let holder = holder.into();
            findings.push(row, Finding::Taken { key, holder });
        }
    }
}

/// Returns `true` if `finding` already says that the key is taken, by `holder` or by any user.
fn says_taken(finding: Finding, state: &JudgementState<'_>, key: Key, holder: FinalUser) -> bool {
    match finding {
        Finding::Taken { key: known, .. } => known == key,
        Finding::Duplicate {
            key: known, row, ..
        } => known == key && state.row_of(holder) == Some(row),
        _ => false,
    }
}

/// Reports that a rejected row's supervisor is not found, unless a finding already says so.
fn find_unknown_supervisor(state: &JudgementState<'_>, row: RowIndex, findings: &mut Findings) {
    let SupervisorChange::Email(email) = state.roster.supervisor_change(row) else {
        return;
    };
    if state.owner(Key::Email, email).is_some() {
        return;
    }
    let finding = Finding::SupervisorNotFound;
    if !findings.of(row).any(|known| known == finding) {
        findings.push(row, finding);
    }
}

/// Warns that the external ID is that of `user` in another case, unless the message about another key already says so.
fn warn_of_other_case(row: RowIndex, user: UserIndex, findings: &mut Findings) {
    let says_so = |finding| matches!(finding, Finding::Taken { holder, .. } if holder == FinalUser::User(user).into());
    if !findings.of(row).any(says_so) {
        findings.push(row, Finding::IdInOtherCase { user });
    }
}

/// Warns of external IDs and badge numbers that differ from those of a user or of another row by leading zeros alone,
/// as spreadsheets drop them. A badge number that does not change is right.
fn warn_of_lost_zeros(
    state: &JudgementState<'_>,
    alike: &ZeroPaddedMatches,
    row: RowIndex,
    findings: &mut Findings,
) {
    let own = state.roster.user(row);
    let id = state.roster.wanted(Key::ExternalId, row);
    if id.is_some() && own.map(held) != id {
        warn_of_alike(state, Key::ExternalId, &alike.external_ids, row, findings);
    }
    let badge = state.roster.wanted(Key::BadgeNumber, row);
    if own.map(held) != badge {
        warn_of_alike(state, Key::BadgeNumber, &alike.badge_numbers, row, findings);
    }
}

/// Warns if a user or another row has the row's key with other zeros.
fn warn_of_alike(
    state: &JudgementState<'_>,
    key: Key,
    zeros: &ZeroPaddedKeys,
    row: RowIndex,
    findings: &mut Findings,
) {
    let user = alike_user(state, key, zeros, row).map(|user| Finding::ZerosLost { key, user });
    let other = || alike_row(state, key, zeros, row).map(|row| Finding::ZerosDiffer { key, row });
    if let Some(finding) = user.or_else(other) {
        findings.push(row, finding);
    }
}

/// Returns the user who has the row's key with other zeros. Of several, prefers the row's own user, then the lowest
/// key.
fn alike_user(
    state: &JudgementState<'_>,
    key: Key,
    zeros: &ZeroPaddedKeys,
    row: RowIndex,
) -> Option<UserIndex> {
    let roster = state.roster;
    let users = zeros.alike(row).iter().copied();
    let others = users.filter(|&user| Some(held(user)) != roster.wanted(key, row));
    let own = roster.user(row);
    others.min_by_key(|&user| {
        let text = key.of(&roster.users[user]);
        (Some(user) != own, text)
    })
}

/// Returns the lowest row that has the row's key with other zeros.
fn alike_row(
    state: &JudgementState<'_>,
    key: Key,
    zeros: &ZeroPaddedKeys,
    row: RowIndex,
) -> Option<RowIndex> {
    let wanted = |row: RowIndex| state.roster.wanted(key, row);
    let others = zeros.alike_rows(row)?.into_iter();
    others.filter(|&other| wanted(other) != wanted(row)).min()
}
