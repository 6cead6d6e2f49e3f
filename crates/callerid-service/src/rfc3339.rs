//! serde for moments that are written as RFC 3339: `#[serde(with = "rfc3339")]`.

use serde::{Deserialize, Deserializer, Serializer};

use callerid_core::Moment;

pub(crate) fn serialize<S: Serializer>(moment: &Moment, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&moment.to_rfc3339())
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Moment, D::Error> {
    let text = String::deserialize(deserializer)?;
    Moment::from_rfc3339(&text).map_err(serde::de::Error::custom)
}

/// The same for a moment that may be null.
pub(crate) mod optional {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use callerid_core::Moment;

    pub(crate) fn serialize<S: Serializer>(
        moment: &Option<Moment>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        moment.map(Moment::to_rfc3339).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Moment>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        let moment = text.as_deref().map(Moment::from_rfc3339).transpose();
        moment.map_err(serde::de::Error::custom)
    }
}
