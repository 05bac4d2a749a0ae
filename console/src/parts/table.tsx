/** Tables: aligned figures, a caption for who cannot see them, and a file of what is shown. */

import type { ComponentChildren } from "preact";

export interface Column<Row> {
  readonly name: string;
  readonly hint?: string;
  readonly isText?: boolean;
  readonly isMinor?: boolean;
  readonly cell: (row: Row) => ComponentChildren;
  /** The column in a file, as the API says it. */
  readonly plain?: (row: Row) => string;
}

interface Given<Row> {
  readonly caption: string;
  readonly rows: readonly Row[];
  readonly columns: readonly Column<Row>[];
  readonly id: (row: Row) => string;
  readonly chosen?: string | undefined;
  readonly fileName?: string;
}

function quoted(value: string): string {
  return /[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

export function csv<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const told = columns.filter((column) => column.plain);
  const lines = rows.map((row) => told.map((column) => quoted(column.plain?.(row) ?? "")).join(","));
  return [told.map((column) => quoted(column.name)).join(","), ...lines, ""].join("\n");
}

export function saveFile(name: string, type: string, content: string): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

export function Table<Row>({ caption, rows, columns, id, chosen, fileName }: Given<Row>) {
  return (
    <div class="table" tabIndex={0} role="region" aria-label={caption}>
      <table>
        <caption class="unseen">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.name} scope="col" title={column.hint} class={`${column.isText ? "text" : ""} ${column.isMinor ? "minor" : ""}`}>
                {column.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={id(row)} data-row={id(row)} class={chosen === id(row) ? "chosen" : undefined}>
              {columns.map((column) => (
                <td key={column.name} class={`${column.isText ? "text" : ""} ${column.isMinor ? "minor" : ""}`}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {fileName && (
        <button type="button" class="quiet file" onClick={() => saveFile(`${fileName}.csv`, "text/csv", csv(rows, columns))}>
          CSV
        </button>
      )}
    </div>
  );
}
