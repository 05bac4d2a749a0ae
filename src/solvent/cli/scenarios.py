"""`solvent scenarios`: what is packaged."""


def scenarios() -> None:
    """List the packaged scenarios."""
    from solvent.lab.scenario.catalog import list_scenarios, load_scenario

    names = list_scenarios()
    width = max(map(len, names))
    for name in names:
        print(f"{name:<{width}}  {load_scenario(name).description}")
