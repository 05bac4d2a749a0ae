"""Looking ahead in a served market: what-if, rehearsals and certificates, beside the writer."""
