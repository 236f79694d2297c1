"""The doctor: adapters gather facts of the machine, the counter and the network; pure judgements say what to do."""
