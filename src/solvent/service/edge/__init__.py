"""The edge as processes: gateways that parse, verify and make records, and the writer's side."""
