-- The number that a real line calls from, and why it failed.
ALTER TABLE call ADD COLUMN caller TEXT;
ALTER TABLE call ADD COLUMN failure TEXT;
