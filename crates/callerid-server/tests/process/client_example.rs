//! The client's example `validate`, against the program.

use std::error::Error;

use callerid_client::Client;
use callerid_core::{Credentials, PhoneNumber};

use crate::harness::Server;
use example::validate;

#[path = "../../../callerid-client/examples/validate.rs"]
#[expect(dead_code, reason = "its `main` is for the example")]
mod example;

fn client(server: &Server) -> Client {
    let credentials =
        Credentials { sid: server.account.sid, auth_token: server.account.auth_token.clone() };
    Client::new(credentials, &format!("http://{}", server.address)).unwrap()
}

#[test]
fn it_finds_the_number_after_the_code_is_entered() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let number = PhoneNumber::parse("(415) 867-5309").unwrap();
    let key_code = |code: &str| -> Result<(), Box<dyn Error>> {
        let call = server.newest_call()["call_sid"].as_str().unwrap().to_owned();
        server.post(&format!("/_callerid/calls/{call}/answer"), "").expect(200);
        server
            .post(&format!("/_callerid/calls/{call}/digits"), &format!("Digits={code}"))
            .expect(200);
        Ok(())
    };

    let not_keyed = validate(&client(&server), number, |_| Ok(())).unwrap_err();
    assert_eq!(not_keyed.to_string(), "the code was not keyed");

    let caller_id =
        validate(&client(&server), number, |request| key_code(request.validation_code.expose()))
            .unwrap();
    assert_eq!(caller_id.phone_number, number);
    assert_eq!(caller_id.friendly_name.as_str(), "(415) 867-5309");

    let again = validate(&client(&server), number, |_| Ok(())).unwrap_err();
    assert!(again.to_string().contains("code 21450"), "{again}");
}
