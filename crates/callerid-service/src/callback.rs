//! Status callbacks: signed requests that notify a URL of a validation's outcome.

use base64ct::{Base64, Encoding as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha1::Sha1;

use callerid_core::form::{self, Form};
use callerid_core::{AccountSid, ApiVersion, AuthToken, CallSid, Moment, PhoneNumber};

use callerid_core::{CallbackDestination, CallbackMethod, InvalidStatusCallback, StatusCallback};

use crate::call::{CLOCK_TOLERANCE_SECONDS, Call};

/// The number of the caller in validation calls. 800-555-0199 is reserved for fiction, so nobody
/// has it.
pub const VALIDATION_CALLER: &str = "+18005550199";

/// The seconds between attempts. A callback whose attempt after the last delay fails is given up.
pub const CALLBACK_RETRY_SECONDS: [u32; 5] = [5, 30, 120, 600, 3600];

/// The maximum time a callback can wait, in seconds. A later time was saved before the clock was
/// set back, so the callback is due.
pub const CALLBACK_LONGEST_WAIT_SECONDS: u32 = 3600 + CLOCK_TOLERANCE_SECONDS;

/// A pending or completed callback. Each call that requested a callback has one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callback {
    /// The call that the callback reports.
    pub call_sid: CallSid,
    /// The account whose token signs it.
    pub account_sid: AccountSid,
    /// The URL, method and credentials.
    pub to: StatusCallback,
    /// Form-encoded parameters, the same for every attempt.
    pub parameters: Box<str>,
    /// When the call ended.
    pub created_at: Moment,
    /// The number of attempts.
    pub attempts: u8,
    /// When to try next; `None` once the callback is delivered or given up.
    pub next_at: Option<Moment>,
    /// The HTTP status of the last attempt's response.
    pub last_status: Option<u16>,
    /// Why the last attempt got no response, or was not made.
    pub last_error: Option<Box<str>>,
}

/// The outcome of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// The receiver responded with this status. 200 to 299 means that the callback is delivered.
    Answered(u16),
    /// The receiver did not respond, or the request could not be sent.
    Failed(String),
    /// The request must not be sent to this destination. There are no more attempts.
    Refused(String),
}

impl Callback {
    /// Creates the callback of a call that has ended; `None` if the call requested none.
    pub fn of(call: &Call, now: Moment) -> Option<Self> {
        let to = call.status_callback.clone()?;
        let number = call.phone_number.e164();
        let caller = call.caller.map(|caller| caller.e164());
        let mut parameters = vec![
            ("CallSid", call.sid.as_str()),
            ("AccountSid", call.account_sid.as_str()),
            ("From", caller.as_ref().map_or(VALIDATION_CALLER, |caller| caller.as_str())),
            ("To", number.as_str()),
            ("CallStatus", call.status.as_str()),
            ("Direction", "outbound-api"),
            ("ApiVersion", ApiVersion::V2010.as_str()),
            ("VerificationStatus", if call.verified { "success" } else { "failed" }),
        ];
        if call.verified {
            parameters.push(("OutgoingCallerIdSid", call.caller_id_sid.as_str()));
        }
        Some(Self {
            call_sid: call.sid,
            account_sid: call.account_sid,
            to,
            parameters: form::encode(parameters).into(),
            created_at: now,
            attempts: 0,
            next_at: Some(now),
            last_status: None,
            last_error: None,
        })
    }

    /// The number whose call it reports.
    pub(crate) fn phone_number(&self) -> Option<PhoneNumber> {
        let parameters = Form::decode(self.parameters.as_bytes()).ok()?;
        PhoneNumber::from_digits(parameters.value(&["To"]).ok()??)
    }

    /// The callback after an attempt: delivered, scheduled for another attempt, or given up.
    #[must_use]
    pub fn after(mut self, attempt: &Attempt, now: Moment) -> Self {
        let delays = CALLBACK_RETRY_SECONDS.iter();
        let delay = delays.copied().nth(self.attempts.into());
        let retry_at = delay.map(|seconds| now.plus_seconds(seconds));
        self.attempts = self.attempts.saturating_add(1);
        (self.next_at, self.last_status, self.last_error) = match attempt {
            Attempt::Answered(status @ 200..=299) => (None, Some(*status), None),
            Attempt::Answered(status) => (retry_at, Some(*status), None),
            Attempt::Failed(why) => (retry_at, None, Some(why.as_str().into())),
            Attempt::Refused(why) => (None, None, Some(why.as_str().into())),
        };
        self
    }

    /// The status: `pending`, `delivered` or `failed`.
    pub fn status(&self) -> &'static str {
        match (self.next_at, self.last_status) {
            (Some(_), _) => "pending",
            (None, Some(200..=299)) => "delivered",
            (None, _) => "failed",
        }
    }

    /// Whether to send the callback now.
    pub fn is_due(&self, now: Moment) -> bool {
        let longest = now.plus_seconds(CALLBACK_LONGEST_WAIT_SECONDS);
        self.next_at.is_some_and(|next| next <= now || next > longest)
    }

    /// Creates the request: the destination, the body (if the method has one) and the value of the
    /// `X-Twilio-Signature` header.
    ///
    /// # Errors
    /// The same errors as [`StatusCallback::destination`].
    pub fn to_request(
        &self,
        auth_token: &AuthToken,
    ) -> Result<CallbackRequest, InvalidStatusCallback> {
        let mut destination = self.to.destination()?;
        let (body, pairs) = match self.to.method() {
            CallbackMethod::Get => {
                destination.push_query(&self.parameters);
                (None, Vec::new())
            }
            CallbackMethod::Post => {
                let form = Form::decode(self.parameters.as_bytes());
                (Some(self.parameters.clone()), form.map(Form::into_pairs).unwrap_or_default())
            }
        };
        let signature = sign(auth_token, &destination.url(), &pairs);
        Ok(CallbackRequest { destination, body, signature })
    }
}

/// The type of the form in a callback's body.
pub const CALLBACK_CONTENT_TYPE: &str = "application/x-www-form-urlencoded; charset=UTF-8";

/// The request of a callback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackRequest {
    /// The destination. If the method is GET, its query contains the parameters.
    pub destination: CallbackDestination,
    /// The form in the body, if the method is POST.
    pub body: Option<Box<str>>,
    /// The value of the `X-Twilio-Signature` header.
    pub signature: String,
}

/// Whether a response asks for the receiver's credentials: a 401 whose `WWW-Authenticate` headers have a
/// challenge of HTTP Basic authentication. As Twilio documents, credentials are only sent then.
pub fn asks_for_credentials<'a>(
    status: u16,
    challenges: impl IntoIterator<Item = &'a [u8]>,
) -> bool {
    let is_basic = |challenge: &[u8]| {
        let scheme = challenge.trim_ascii_start().split(u8::is_ascii_whitespace).next();
        scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"basic"))
    };
    let mut challenges = challenges.into_iter().flat_map(|it| it.split(|byte| *byte == b','));
    status == 401 && challenges.any(is_basic)
}

/// Twilio's signature: base64 of HMAC-SHA1, keyed with the account's token, over the URL and then
/// each name and value of the body, sorted by name.
fn sign(auth_token: &AuthToken, url: &str, parameters: &[(String, String)]) -> String {
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(auth_token.expose().as_bytes()) else {
        return String::new(); // HMAC takes a key of any length.
    };
    mac.update(url.as_bytes());
    let mut sorted: Vec<_> = parameters.iter().collect();
    sorted.sort_unstable();
    for (name, value) in sorted {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    Base64::encode_string(&mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signature_matches_twilio_s_example() {
        // The example in Twilio's documentation on webhook security.
        let token = AuthToken::new("12345").unwrap();
        let pairs = [
            ("Digits", "1234"),
            ("To", "+18005551212"),
            ("From", "+14158675309"),
            ("Caller", "+14158675309"),
            ("CallSid", "CA1234567890ABCDE"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
        assert_eq!(sign(&token, url, &pairs), "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
    }

    #[test]
    fn credentials_are_asked_for_by_a_basic_challenge_of_a_401() {
        for (status, challenge, expected) in [
            (401, "Basic realm=\"callbacks\"", true),
            (401, "basic", true),
            (401, "Bearer realm=\"x\", Basic realm=\"y\"", true),
            (401, "Bearer realm=\"basic\"", false),
            (401, "Basically", false),
            (401, "", false),
            (403, "Basic", false),
        ] {
            assert_eq!(
                asks_for_credentials(status, [challenge.as_bytes()]),
                expected,
                "{challenge}"
            );
        }
    }

    fn callback() -> Callback {
        Callback {
            call_sid: CallSid::from_random_bytes(&[1; 16]),
            account_sid: AccountSid::from_random_bytes(&[2; 16]),
            to: StatusCallback::new("http://example.com/", CallbackMethod::Get).unwrap(),
            parameters: "To=%2B14158675309".into(),
            created_at: Moment::default(),
            attempts: 0,
            next_at: Some(Moment::default()),
            last_status: None,
            last_error: None,
        }
    }

    #[test]
    fn failures_are_retried_with_growing_delays_until_given_up() {
        let now = Moment::default();
        let mut callback = callback();
        for seconds in CALLBACK_RETRY_SECONDS {
            callback = callback.after(&Attempt::Answered(503), now);
            assert_eq!(callback.next_at, Some(now.plus_seconds(seconds)));
        }
        callback = callback.after(&Attempt::Failed("no route".into()), now);
        assert_eq!((callback.next_at, callback.status(), callback.attempts), (None, "failed", 6));
    }

    #[test]
    fn a_callback_is_due_at_its_time_or_if_no_delay_explains_its_time() {
        let now = Moment::from_unix_millis(1_207_074_392_000);
        for seconds in CALLBACK_RETRY_SECONDS {
            let waiting = Callback { next_at: Some(now.plus_seconds(seconds)), ..callback() };
            assert!(!waiting.is_due(now));
            assert!(waiting.is_due(now.plus_seconds(seconds)));
        }
        // The clock was a day ahead when the callback was saved.
        let ahead = Callback { next_at: Some(now.plus_seconds(86_400)), ..callback() };
        assert!(ahead.is_due(now));
        assert!(!Callback { next_at: None, ..callback() }.is_due(now));
    }

    #[test]
    fn deliveries_and_refusals_end_the_attempts() {
        let delivered = callback().after(&Attempt::Answered(204), Moment::default());
        assert_eq!((delivered.next_at, delivered.status()), (None, "delivered"));
        let refused = callback().after(&Attempt::Refused("private".into()), Moment::default());
        assert_eq!((refused.next_at, refused.status()), (None, "failed"));
    }

    #[test]
    fn a_get_carries_its_parameters_in_the_query() {
        let request = callback().to_request(&AuthToken::new("t").unwrap()).unwrap();
        assert_eq!(request.destination.url(), "http://example.com/?To=%2B14158675309");
        assert_eq!(request.body, None);
    }

    #[test]
    fn the_requested_url_is_signed() {
        let token = AuthToken::new("t").unwrap();
        for (url, sent) in [
            ("HTTP://Example.com#@127.0.0.1/", "http://Example.com/"),
            ("https://example.com:443?x#y", "https://example.com:443/?x"),
            ("https://user:password@example.com/", "https://example.com/"),
        ] {
            let to = StatusCallback::new(url, CallbackMethod::Post).unwrap();
            let request = Callback { to, ..callback() }.to_request(&token).unwrap();
            let pairs = [("To".to_owned(), "+14158675309".to_owned())];
            assert_eq!(request.destination.url(), sent);
            assert_eq!(request.signature, sign(&token, sent, &pairs));
        }
    }

    #[test]
    fn a_stored_url_that_is_no_longer_valid_is_not_called() {
        let url = "http://example.com:+80/";
        let to = StatusCallback::restore(url, CallbackMethod::Post, None);
        let request = Callback { to, ..callback() }.to_request(&AuthToken::new("t").unwrap());
        assert_eq!(request, Err(InvalidStatusCallback::Port));
        assert_eq!(
            StatusCallback::new(url, CallbackMethod::Post),
            Err(InvalidStatusCallback::Port)
        );
    }
}
