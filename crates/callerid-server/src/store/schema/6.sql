-- A number's wrong entries are counted in the table number alone.
ALTER TABLE call DROP COLUMN failed_entries;
