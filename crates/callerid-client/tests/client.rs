//! The client and the service, connected directly.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;

use callerid_client::{Client, ClientError, ClientRequest};
use callerid_core::{
    AccountSid, ApiVersion, AuthToken, CallDelay, CallerIdSid, Credentials, Date, ErrorCode,
    Filter, FriendlyName, NewCallerId, OutgoingCallerId, PageRequest, PageSize, PhoneNumber,
};
use callerid_service::{Account, MockApi};

fn account() -> Account {
    let sid = AccountSid::from_random_bytes(&[1; 16]);
    Account { sid, auth_token: AuthToken::new("secret").unwrap() }
}

fn client(version: ApiVersion, token: &str) -> Client {
    let auth_token = AuthToken::new(token).unwrap();
    let client = Client::new(Credentials { sid: account().sid, auth_token }, "http://localhost");
    client.unwrap().with_version(version)
}

fn number(index: u8) -> PhoneNumber {
    PhoneNumber::parse(&format!("415867{:04}", 5000 + u32::from(index))).unwrap()
}

/// A service whose account has `rows` caller IDs.
fn service(rows: u8) -> MockApi {
    let service = MockApi::with_account(account());
    for index in 0..rows {
        service.store().seed(OutgoingCallerId {
            sid: CallerIdSid::from_random_bytes(&[index; 16]),
            account_sid: account().sid,
            friendly_name: FriendlyName::new(if index % 2 == 0 { "even" } else { "a=1&b\r\n" })
                .unwrap(),
            phone_number: number(index),
            date_created: Date::new(1_207_074_392, -420),
            date_updated: Date::new(1_207_074_392, -420),
        });
    }
    service
}

fn send<T>(service: &MockApi, request: &ClientRequest<T>) -> Result<T, ClientError> {
    request.read_http(&service.respond(&request.to_http().unwrap()).into())
}

fn every_page(
    service: &MockApi,
    client: &Client,
    filter: &Filter,
    rows: u32,
) -> Vec<OutgoingCallerId> {
    let size = PageSize::new(rows).unwrap();
    let mut found = Vec::new();
    let mut next = Some(client.list(filter, PageRequest { size, ..PageRequest::default() }));
    while let Some(request) = next {
        let page = send(service, &request).unwrap();
        assert_eq!(page.stated_start, Some(page.page.start()));
        assert_eq!(page.stated_end, Some(page.page.end()));
        next = client.next_page(filter, &page).unwrap();
        found.extend(page.page.items);
    }
    found
}

#[test]
fn a_number_that_was_withdrawn_from_the_plan_is_listed_and_found() {
    let service = service(3);
    let phone_number = PhoneNumber::parse_possible("2215550123").unwrap();
    assert!(PhoneNumber::parse("2215550123").is_err());
    let withdrawn = OutgoingCallerId {
        sid: CallerIdSid::from_random_bytes(&[0xff; 16]),
        account_sid: account().sid,
        friendly_name: FriendlyName::default_for(&phone_number),
        phone_number,
        date_created: Date::new(1_207_074_392, -420),
        date_updated: Date::new(1_207_074_392, -420),
    };
    service.store().seed(withdrawn.clone());
    let snapshot = service.store().snapshot();
    service.store().restore(&snapshot).unwrap();
    for version in ApiVersion::ALL {
        let client = client(version, "secret");
        let all = every_page(&service, &client, &Filter::default(), 2);
        assert_eq!(all.len(), 4);
        let filter = Filter { phone_number: Some(phone_number), ..Filter::default() };
        let found = every_page(&service, &client, &filter, 2);
        assert_eq!(found.iter().map(|row| row.sid).collect::<Vec<_>>(), [withdrawn.sid]);
        // But it is no longer possible to validate it.
        let create = send(&service, &client.create(&NewCallerId::new(phone_number)).unwrap());
        let error = create.unwrap_err();
        assert_eq!(error.error_code(), Some(ErrorCode::InvalidPhoneNumber), "{error}");
    }
}

#[test]
fn every_page_of_a_list_is_followed() {
    let service = service(120);
    for version in ApiVersion::ALL {
        let every_page =
            |filter: Filter, rows| every_page(&service, &client(version, "secret"), &filter, rows);
        for rows in [7, 40, 50, 1000] {
            let all = every_page(Filter::default(), rows);
            let sids: BTreeSet<_> = all.iter().map(|row| row.sid).collect();
            assert_eq!((all.len(), sids.len()), (120, 120), "{version:?} {rows}");
        }
        let friendly_name = Some(FriendlyName::new("a=1&b\r\n").unwrap());
        assert_eq!(every_page(Filter { friendly_name, ..Filter::default() }, 7).len(), 60);
        let phone_number = Some(number(3));
        assert_eq!(every_page(Filter { phone_number, ..Filter::default() }, 7).len(), 1);
    }
}

#[test]
fn a_caller_id_is_fetched_renamed_and_deleted() {
    for (version, gone) in [(ApiVersion::V2008, None), (ApiVersion::V2010, Some(20404))] {
        let (service, client) = (service(1), client(version, "secret"));
        let sid = CallerIdSid::from_random_bytes(&[0; 16]);
        let fetched = send(&service, &client.fetch(&sid)).unwrap();
        assert_eq!((fetched.friendly_name.as_str(), fetched.phone_number), ("even", number(0)));
        let name = FriendlyName::new("Bob & <Sons>\r\n").unwrap();
        let renamed = send(&service, &client.update(&sid, Some(&name))).unwrap();
        assert_eq!(renamed.friendly_name, name);
        assert_eq!(send(&service, &client.fetch(&sid)).unwrap(), renamed);
        let default = send(&service, &client.update(&sid, None)).unwrap();
        assert_eq!(default.friendly_name.as_str(), "(415) 867-5000");
        assert_eq!(send(&service, &client.delete(&sid)), Ok(()));
        let error = send(&service, &client.fetch(&sid)).unwrap_err();
        assert_eq!((error.exception().map(|it| it.status), error.code()), (Some(404), gone));
    }
}

#[test]
fn a_create_answers_with_the_code_and_an_error_with_its_own() {
    for version in ApiVersion::ALL {
        let service = service(1);
        let new = |index| NewCallerId {
            call_delay: CallDelay::new(60).unwrap(),
            ..NewCallerId::new(number(index))
        };
        let right = client(version, "secret");
        let answer = send(&service, &right.create(&new(1)).unwrap()).unwrap();
        assert_eq!((answer.phone_number, answer.friendly_name), (number(1), None));
        assert_eq!(answer.validation_code.expose().len(), 6);
        assert_eq!(answer.call_sid.is_some(), version == ApiVersion::V2010);
        let error = send(&service, &right.create(&new(0)).unwrap()).unwrap_err();
        assert_eq!(error.error_code(), Some(ErrorCode::AlreadyValidated));
        let error = send(&service, &client(version, "wrong").create(&new(2)).unwrap()).unwrap_err();
        assert_eq!(error.error_code(), Some(ErrorCode::Authenticate));
    }
}

#[test]
fn a_number_is_a_caller_id_once_its_code_is_pressed() {
    for version in ApiVersion::ALL {
        let (service, client) = (service(0), client(version, "secret"));
        let new =
            NewCallerId { call_delay: CallDelay::new(60).unwrap(), ..NewCallerId::new(number(1)) };
        let answer = send(&service, &client.create(&new).unwrap()).unwrap();
        service.advance(60);
        let call = service.phone(number(1)).ringing().unwrap().answer().unwrap();
        assert!(call.press(answer.validation_code).unwrap().is_verified());
        let list = client.list(&Filter::default(), PageRequest::default());
        let page = send(&service, &list).unwrap().page;
        assert_eq!(page.items[0].phone_number, number(1));
    }
}

#[test]
fn a_page_past_the_end_is_an_error_with_a_code() {
    let page = PageRequest { number: 9, ..PageRequest::default() };
    let request = client(ApiVersion::V2008, "secret").list(&Filter::default(), page);
    let error = send(&service(1), &request).unwrap_err();
    assert_eq!(error.error_code(), Some(ErrorCode::PageOutOfRange));
}
