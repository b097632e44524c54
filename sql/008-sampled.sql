-- Is the trace of the request kept?  What is done with its event later is then
-- a part of that trace.
ALTER TABLE outbox
    ADD COLUMN sampled BOOLEAN NOT NULL DEFAULT TRUE AFTER span;
