//! The streams of an import that is watched, undone, reviewed or approved have the messages of `ImportUsers`.

use super::{
    ApproveImportResponse, ImportUsersResponse, ReviewImportResponse, UndoImportResponse,
    WatchImportResponse, approve_import_response, import_users_response, review_import_response,
    undo_import_response, watch_import_response,
};

/// Converts the response of a stream from the messages of `ImportUsers`, and to them.
macro_rules! same_messages {
    ($($response:ident, $module:ident;)*) => {$(
        impl From<import_users_response::Message> for $response {
            fn from(message: import_users_response::Message) -> Self {
                use import_users_response::Message as From;
                use $module::Message as To;
                let message = match message {
                    From::Started(started) => To::Started(started),
                    From::Progress(progress) => To::Progress(progress),
                    From::Results(results) => To::Results(results),
                    From::Deactivations(users) => To::Deactivations(users),
                    From::Summary(summary) => To::Summary(summary),
                };
                Self { message: Some(message) }
            }
        }

        impl From<$response> for ImportUsersResponse {
            fn from(response: $response) -> Self {
                use import_users_response::Message as To;
                use $module::Message as From;
                let message = response.message.map(|message| match message {
                    From::Started(started) => To::Started(started),
                    From::Progress(progress) => To::Progress(progress),
                    From::Results(results) => To::Results(results),
                    From::Deactivations(users) => To::Deactivations(users),
                    From::Summary(summary) => To::Summary(summary),
                });
                Self { message }
            }
        }
    )*};
}

same_messages! {
    WatchImportResponse, watch_import_response;
    UndoImportResponse, undo_import_response;
    ReviewImportResponse, review_import_response;
    ApproveImportResponse, approve_import_response;
}
