//! The description of the control surface, against which requests and answers are held.

use std::collections::BTreeSet;

use callerid_tests::{Host, Request, Response};
use serde_json::{Map, Value, json};

/// The description, and which of its operations have been answered as it says.
pub(crate) struct Description {
    document: Value,
    answered: BTreeSet<String>,
}

/// An operation of the description.
pub(crate) struct Operation<'a> {
    pub(crate) path: &'a str,
    pub(crate) method: String,
    description: &'a Value,
}

impl Description {
    /// Asks a host for it.
    pub(crate) fn of(host: &mut dyn Host) -> Self {
        let response = host.send(&request(host, "GET", "/_callerid/openapi.json"));
        let mut document = serde_json::from_str(&response.body).expect("the description is JSON");
        close(&mut document);
        Self { document, answered: BTreeSet::new() }
    }

    pub(crate) fn paths(&self) -> &Map<String, Value> {
        self.document["paths"].as_object().expect("it has paths")
    }

    pub(crate) fn operations(&self) -> impl Iterator<Item = Operation<'_>> {
        self.paths().iter().flat_map(|(path, item)| {
            let operations = item.as_object().expect("it has operations").iter();
            operations.filter(|(method, _)| *method != "parameters").map(|(method, description)| {
                Operation { path, method: method.to_uppercase(), description }
            })
        })
    }

    /// The operations that a service answers and that no answer has been seen of.
    pub(crate) fn unanswered(&self) -> Vec<String> {
        let names = self.operations().filter(|it| !it.is_of_server()).map(|it| it.name());
        names.filter(|name| !self.answered.contains(name)).collect()
    }

    /// Checks an answer, and the request if it succeeded.
    pub(crate) fn check(&mut self, request: &Request, response: &Response) -> Result<(), String> {
        let path = request.target.split('?').next().unwrap_or_default();
        if !path.starts_with("/_callerid/") {
            return Ok(());
        }
        let described = self.operations().find(|it| it.is_for(&request.method, path));
        let Some(operation) = described else {
            let is_path = self.paths().keys().any(|template| matches(template, path));
            let expected: &[u16] = if is_path { &[405, 401, 404] } else { &[404, 401] };
            return match expected.contains(&response.status) {
                true => Ok(()),
                false => Err(format!("{} {path} is not described", request.method)),
            };
        };
        let name = operation.name();
        let status = response.status.to_string();
        let responses = &operation.description["responses"];
        let described =
            responses.get(&status).ok_or(format!("{name}: {status} is not described"))?;
        let schema = &self.resolve(described)["content"]["application/json"]["schema"];
        self.validate(schema, &response.body).map_err(|why| format!("{name}: {why}"))?;
        if response.status == 200 {
            let content = &operation.description["requestBody"]["content"];
            if let Some(content) = content.get("application/json") {
                let schema = &content["schema"];
                self.validate(schema, &request.body).map_err(|why| format!("{name}: {why}"))?;
            }
            self.answered.insert(name);
        }
        Ok(())
    }

    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        let pointer = value["$ref"].as_str().and_then(|it| it.strip_prefix('#'));
        pointer.map_or(value, |it| self.document.pointer(it).expect("a reference leads somewhere"))
    }

    fn validate(&self, schema: &Value, document: &str) -> Result<(), String> {
        let document: Value =
            serde_json::from_str(document).map_err(|error| format!("{error}: {document}"))?;
        // References are to the components.
        let schema = json!({"allOf": [schema], "components": self.document["components"]});
        let validator = jsonschema::validator_for(&schema).map_err(|error| error.to_string())?;
        validator.validate(&document).map_err(|error| format!("{error} in {document}"))
    }
}

impl Operation<'_> {
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// Whether only a server answers it.
    pub(crate) fn is_of_server(&self) -> bool {
        self.description["tags"][0] == "server"
    }

    fn is_for(&self, method: &str, path: &str) -> bool {
        self.method == method && matches(self.path, path)
    }
}

/// A request with the host's credentials.
pub(crate) fn request(host: &dyn Host, method: &str, target: &str) -> Request {
    Request {
        method: method.to_owned(),
        target: target.to_owned(),
        headers: vec![("Authorization".to_owned(), host.account().1)],
        ..Request::default()
    }
}

/// Whether a path is one of a template: `/_callerid/calls/{CallSid}`.
fn matches(template: &str, path: &str) -> bool {
    let (template, path) = (template.split('/'), path.split('/'));
    template.clone().count() == path.clone().count()
        && template.zip(path).all(|(part, segment)| part.starts_with('{') || part == segment)
}

/// Forbids all properties that schemas do not describe.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if object.get("properties").is_some_and(Value::is_object) && object.contains_key("type")
            {
                object.entry("additionalProperties").or_insert(false.into());
            }
            object.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}
