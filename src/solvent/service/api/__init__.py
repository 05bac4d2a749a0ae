"""The API: requests in, answers out: endpoints, signatures, parameters, objects of the wire."""
