//! Sessions: they let a browser sign in without keeping a long-lived secret in its address or tab.
//!
//! Like every request, `POST /_callerid/sessions` uses Basic authentication. The password is the
//! account's token, or a code. `callerid serve` and `callerid page` put codes into addresses; a
//! code works once, within ten minutes. The response contains the secret of a session, which is the
//! password of later requests for twelve hours, or until the account's token changes. It cannot
//! create another session.

use axum::response::Response;
use callerid_core::{AccountSid, AuthToken, Credentials, RestException};
use callerid_service::{Account, ServiceError, Unauthenticated, error_response, json_response};
use rand::Rng as _;
use serde_json::json;

use crate::client::Client;
use crate::exchange::{log_failure, random_bytes, rejection, to_http};
use crate::host::Host;
use crate::server_store::ServerStore;

pub(crate) const PATH: &str = "/_callerid/sessions";

/// How long a code is valid.
pub(crate) const CODE_SECONDS: u32 = 10 * 60;
/// How long a session lasts.
pub(crate) const SESSION_SECONDS: u32 = 12 * 60 * 60;

/// The prefix of session secrets. Passwords without it need no session lookup and cannot fail one.
const SESSION_PREFIX: &str = "session-";

/// Answers a `POST`: creates a session.
pub(crate) async fn create<S: ServerStore>(host: &Host<S>, client: Client) -> Response {
    let request_sid = random_bytes().request_sid();
    let session = new_secret();
    match begin(host, client.credentials, &session).await {
        Ok(sid) => {
            let body = json!({ "account_sid": sid.as_str(), "session": session.expose() });
            to_http(json_response(&body.to_string(), request_sid))
        }
        Err(error) => to_http(error_response(PATH, &exception(error), request_sid)),
    }
}

async fn begin<S: ServerStore>(
    host: &Host<S>,
    credentials: Option<Credentials>,
    session: &AuthToken,
) -> Result<AccountSid, ServiceError> {
    let credentials = credentials.ok_or(Unauthenticated)?;
    let store = host.service.store();
    let most = host.limits.sessions_per_account;
    match store.begin_session(&credentials, session, most, host.clock.now()).await? {
        true => Ok(credentials.sid),
        false => Err(Unauthenticated.into()),
    }
}

/// Replaces the secret of a session in a client's credentials with the account's token.
///
/// # Errors
/// The response to return if the store fails.
pub(crate) async fn sign_in<S: ServerStore>(
    host: &Host<S>,
    client: Client,
    path: &str,
) -> Result<Client, Response> {
    let Some(credentials) = client.credentials.as_ref().filter(|it| is_of_session(it)) else {
        return Ok(client);
    };
    match host.service.store().session_account(credentials, host.clock.now()).await {
        Ok(None) => Ok(client),
        Ok(Some(Account { sid, auth_token })) => {
            Ok(Client { credentials: Some(Credentials { sid, auth_token }), ..client })
        }
        Err(error) => Err(rejection(path, &exception(error.into()))),
    }
}

fn is_of_session(credentials: &Credentials) -> bool {
    credentials.auth_token.expose().starts_with(SESSION_PREFIX)
}

fn exception(error: ServiceError) -> RestException {
    let (exception, failure) = error.into_exception();
    if let Some(error) = failure {
        log_failure(&error);
    }
    exception
}

fn new_secret() -> AuthToken {
    let mut bytes = [0; 16];
    rand::rng().fill_bytes(&mut bytes);
    let secret = AuthToken::from_random_bytes(&bytes);
    AuthToken::new(&format!("{SESSION_PREFIX}{}", secret.expose())).unwrap_or(secret)
}
