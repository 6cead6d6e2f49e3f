//! JSON, written: the `.json` representation, and the control surface's objects.

use super::element::{Element, Field, WIRE_2008, Wire, each_record};
use super::{CallerIdPage, Document};
use crate::text::push_hex;
use crate::{ApiVersion, Call, Callback, Moment, OutgoingCallerId};

pub(super) fn encode(version: ApiVersion, document: &Document<'_>) -> Vec<u8> {
    let mut out = String::with_capacity(document.size_guess());
    match version {
        ApiVersion::V2008 => push_wrapped(&mut out, document),
        ApiVersion::V2010 => push_plain(&mut out, document),
    }
    out.into_bytes()
}

/// The specification's form: the XML's names, all values strings, a list an array of objects of one field.
fn push_wrapped(out: &mut String, document: &Document<'_>) {
    let push_record = |out: &mut String, record: Element, fields: &[Field<'_>]| {
        push_object(out, |wrapper| {
            wrapper.value(record.name(), |out| {
                push_object(out, |object| {
                    for (element, text) in fields {
                        object.optional_string(element.name(), *text);
                    }
                });
            });
        });
    };
    push_object(out, |response| {
        response.value(Element::TwilioResponse.name(), |out| match document {
            Document::CallerIds(_) => push_object(out, |list| {
                list.value(Element::OutgoingCallerIds.name(), |out| {
                    push_list(out, WIRE_2008, document, push_record);
                });
            }),
            _ => each_record(WIRE_2008, document, &mut |record, fields| {
                push_record(out, record, fields);
            }),
        });
    });
}

/// The newer API's form: names in snake case, numbers where they count something, paging beside the rows.
fn push_plain(out: &mut String, document: &Document<'_>) {
    let wire = Wire { version: ApiVersion::V2010, extension: ".json" };
    let Document::CallerIds(list) = document else {
        return each_record(wire, document, &mut |_, fields| push_fields(out, fields));
    };
    let CallerIdPage { page, uris } = list;
    let uri = |uri: &'_ str| Some(uri.to_owned()).filter(|uri| !uri.is_empty());
    push_object(out, |object| {
        object.optional_string("first_page_uri", uri(&uris.first).as_deref());
        object.number("end", page.end());
        object.optional_string("previous_page_uri", uri(&uris.previous).as_deref());
        object.value("outgoing_caller_ids", |out| {
            push_list(out, wire, document, |out, _, fields| push_fields(out, fields));
        });
        object.optional_string("uri", uri(&uris.this).as_deref());
        object.number("page_size", page.size);
        object.number("start", page.start());
        object.optional_string("next_page_uri", uri(&uris.next).as_deref());
        object.number("page", page.number);
    });
}

fn push_list(
    out: &mut String,
    wire: Wire,
    document: &Document<'_>,
    push_record: impl Fn(&mut String, Element, &[Field<'_>]),
) {
    out.push('[');
    let mut first = true;
    each_record(wire, document, &mut |record, fields| {
        if !std::mem::replace(&mut first, false) {
            out.push(',');
        }
        push_record(out, record, fields);
    });
    out.push(']');
}

fn push_fields(out: &mut String, fields: &[Field<'_>]) {
    push_object(out, |object| {
        for (element, text) in fields {
            let name = element.snake_case();
            match (element, text) {
                (Element::Detail, None) => {}
                (Element::Code | Element::Status, Some(digits)) => {
                    object.value(name, |out| out.push_str(digits));
                }
                _ => object.optional_string(name, *text),
            }
        }
    });
}

/// Writes an object on one line.
pub(crate) fn object(write: impl FnOnce(&mut Fields<'_>)) -> String {
    let mut out = String::new();
    push_object(&mut out, write);
    out
}

/// Appends an object.
pub(crate) fn push_object(out: &mut String, write: impl FnOnce(&mut Fields<'_>)) {
    out.push('{');
    write(&mut Fields { out, first: true });
    out.push('}');
}

/// The fields of an object that is being written.
pub(crate) struct Fields<'a> {
    out: &'a mut String,
    first: bool,
}

impl Fields<'_> {
    fn name(&mut self, name: &str) -> &mut String {
        if !std::mem::replace(&mut self.first, false) {
            self.out.push(',');
        }
        push_string(self.out, name);
        self.out.push(':');
        self.out
    }

    pub(crate) fn string(&mut self, name: &str, value: &str) {
        push_string(self.name(name), value);
    }

    pub(crate) fn optional_string(&mut self, name: &str, value: Option<&str>) {
        match value {
            Some(value) => self.string(name, value),
            None => self.name(name).push_str("null"),
        }
    }

    pub(crate) fn number(&mut self, name: &str, value: impl Into<u64>) {
        self.name(name).push_str(&value.into().to_string());
    }

    pub(crate) fn moment(&mut self, name: &str, value: Option<Moment>) {
        self.optional_string(name, value.map(Moment::to_rfc3339).as_deref());
    }

    /// A field that is an array of values already written.
    pub(crate) fn array(&mut self, name: &str, values: impl Iterator<Item = String>) {
        let out = self.name(name);
        out.push('[');
        for (index, value) in values.enumerate() {
            if index > 0 {
                out.push(',');
            }
            out.push_str(&value);
        }
        out.push(']');
    }

    /// A field whose value `write` appends.
    fn value(&mut self, name: &str, write: impl FnOnce(&mut String)) {
        write(self.name(name));
    }
}

/// Appends a string with its quotes; what JSON or a script around it could trip over is escaped.
pub fn push_string(out: &mut String, text: &str) {
    out.push('"');
    // Nearly every text goes as it is. No early return: the compiler turns this into a few wide compares.
    // 0xc2 and 0xe2 lead the characters above ASCII that are escaped.
    let is_suspect =
        |byte: u8| byte < b' ' || matches!(byte, b'"' | b'\\' | b'<' | 0x7f | 0xc2 | 0xe2);
    if !text.bytes().fold(false, |found, byte| found | is_suspect(byte)) {
        out.push_str(text);
        out.push('"');
        return;
    }
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..=' ' | '<' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' if char != ' ' => {
                out.push_str("\\u");
                push_hex(out, char.into(), 4);
            }
            _ => out.push(char),
        }
    }
    out.push('"');
}

/// A call as the control surface shows it: everything but its code and what was keyed.
pub(crate) fn call(call: &Call) -> String {
    let verification_status = match (call.verified, call.status.is_live()) {
        (true, _) => Some("success"),
        (false, true) => None,
        (false, false) => Some("failed"),
    };
    object(|fields| {
        fields.string("call_sid", call.sid.as_str());
        fields.string("account_sid", call.account_sid.as_str());
        fields.string("phone_number", call.phone_number.as_str());
        let name = call.friendly_name.as_ref();
        fields.optional_string("friendly_name", name.map(|name| name.as_str()));
        fields.string("status", call.status.as_str());
        fields.optional_string("verification_status", verification_status);
        fields.number("entries_left", call.entries_left);
        fields.number("digits_keyed", call.keyed.len());
        fields.moment("created_at", Some(call.created_at));
        fields.moment("due_at", Some(call.due_at));
        fields.moment("expires_at", Some(call.expires_at()));
        fields.moment("ringing_at", call.ringing_at);
        fields.moment("answered_at", call.answered_at);
        fields.moment("ended_at", call.ended_at);
    })
}

/// A callback as the control surface shows it.
pub(crate) fn callback(callback: &Callback) -> String {
    object(|fields| {
        fields.string("call_sid", callback.call_sid.as_str());
        fields.string("account_sid", callback.account_sid.as_str());
        fields.string("url", callback.to.url());
        fields.string("method", callback.to.method().as_str());
        fields.string("parameters", &callback.parameters);
        fields.string("status", callback.status());
        fields.number("attempts", callback.attempts);
        fields.moment("created_at", Some(callback.created_at));
        fields.moment("next_at", callback.next_at);
        match callback.last_status {
            Some(status) => fields.number("last_status", status),
            None => fields.optional_string("last_status", None),
        }
        fields.optional_string("last_error", callback.last_error.as_deref());
    })
}

/// A caller ID with the specification's values, under the names of its properties in snake case.
pub(crate) fn caller_id(caller_id: &OutgoingCallerId) -> String {
    let mut out = String::new();
    let document = Document::CallerId(caller_id);
    each_record(WIRE_2008, &document, &mut |_, fields| push_fields(&mut out, fields));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_come_back_through_a_json_parser() {
        for text in ["", "a\"b\\c", "\0\u{1}\t\r\n", "</script>", "é中😀\u{2028}\u{7f}\u{9f}"] {
            let mut out = String::new();
            push_string(&mut out, text);
            assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text, "{out}");
            assert!(!out.contains('<') && out.chars().all(|char| char >= ' '), "{out}");
        }
    }
}
