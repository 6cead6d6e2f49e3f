-- The user and the password in a callback's URL, sealed for the Sid of its call; null where it has none.
ALTER TABLE call ADD COLUMN sealed_credentials BLOB;
ALTER TABLE callback ADD COLUMN sealed_credentials BLOB;
