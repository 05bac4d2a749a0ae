/** Settings: how the page looks, and whose clock it shows. */

import { BLUE, ORANGE, choose, settings } from "../data/settings.ts";

const PAIRS = [
  ["Blue and orange", BLUE, ORANGE],
  ["Green and red", "#2fa36b", "#e05260"],
  ["Red and green", "#e05260", "#2fa36b"],
  ["Teal and violet", "#2aa9a0", "#a77be0"],
] as const;

export function Choices() {
  const { theme, zone, up, down } = settings.value;
  return (
    <section class="panel narrow">
      <header class="title">
        <h1>Settings</h1>
      </header>
      <p class="why">Kept in this browser, and nowhere else.</p>
      <fieldset>
        <legend>Light</legend>
        {(["auto", "dark", "light"] as const).map((each) => (
          <label key={each}>
            <input type="radio" name="theme" checked={theme === each} onChange={() => choose({ theme: each })} /> {each === "auto" ? "as the system" : each}
          </label>
        ))}
      </fieldset>
      <fieldset>
        <legend>Times</legend>
        {(["utc", "local"] as const).map((each) => (
          <label key={each}>
            <input type="radio" name="zone" checked={zone === each} onChange={() => choose({ zone: each })} /> {each === "utc" ? "UTC" : "where I am"}
          </label>
        ))}
      </fieldset>
      <fieldset>
        <legend>Up and down</legend>
        {PAIRS.map(([name, first, second]) => (
          <label key={name}>
            <input type="radio" name="pair" checked={up === first && down === second} onChange={() => choose({ up: first, down: second })} /> {name}{" "}
            <svg class="pair" viewBox="0 0 24 10" aria-hidden="true">
              <rect width="11" height="10" fill={first} />
              <rect x="13" width="11" height="10" fill={second} />
            </svg>
          </label>
        ))}
      </fieldset>
    </section>
  );
}
