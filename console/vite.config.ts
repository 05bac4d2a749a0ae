/** How the console is built: one page, hashed names under assets/, no inline script or style. */

import { defineConfig } from "vite";

const SERVICE = process.env.SOLVENT_URL ?? "http://127.0.0.1:8620";

/** The gallery of all states is built where it is asked for, and never into the console. */
export default defineConfig(({ mode }) => ({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    // A sheet that a chunk asks for is not asked for again where the line was cut.
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 100,
    rolldownOptions: { input: mode === "gallery" ? "gallery.html" : "index.html" },
  },
  server: {
    proxy: Object.fromEntries(
      ["/api", "/wapi", "/solvent", "/docs", "/openapi.json"].map((path) => [path, SERVICE]),
    ),
  },
}));
