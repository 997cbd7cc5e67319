//! Any bytes as the messages of a stream: options, chunks, typed rows and totals are accepted, or refused with a
//! reason, and there are never more rows than the limit.

#![no_main]

use libfuzzer_sys::fuzz_target;
use prost::Message;
use user_import::{
    import::{ImportOptions, ReceivedRoster, Refusal, RosterReceiver},
    proto::{ImportUsersRequest, import_users_request::Message as Call},
};
use user_import_fuzz::LIMITS;

fuzz_target!(|data: &[u8]| {
    let mut data = data;
    let mut calls = Vec::new();
    while let Ok(request) = ImportUsersRequest::decode_length_delimited(&mut data) {
        calls.extend(request.message);
        if data.is_empty() {
            break;
        }
    }
    match run(calls) {
        Ok(received) => assert!(received.rows.len() <= LIMITS.max_rows as usize),
        Err(refusals) => assert!(refusals.iter().all(|refusal| !refusal.message.is_empty())),
    }
});

fn run(calls: Vec<Call>) -> Result<ReceivedRoster, Vec<Refusal>> {
    let mut calls = calls.into_iter();
    let Some(Call::Start(start)) = calls.next() else {
        return Err(Vec::new());
    };
    let options = ImportOptions::parse(start)?;
    let mut receiver = RosterReceiver::new(&options.csv, LIMITS)?;
    receiver.set_sheet(&options.sheet);
    for call in calls {
        match call {
            Call::Finish(finish) => return receiver.finish(&finish),
            call => receiver.push(call)?,
        }
    }
    Err(Vec::new())
}
