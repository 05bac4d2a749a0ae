/** Data: what a view shows, as JSON and CSV under the view's own address. */

export function Data({ of, more = "" }: { of: string; more?: string }) {
  return (
    <>
      <a class="quiet" href={`${of}.json${more}`} aria-label={`JSON of ${of}`} data-outside>
        JSON
      </a>
      <a class="quiet" href={`${of}.csv${more}`} aria-label={`CSV of ${of}`} data-outside>
        CSV
      </a>
    </>
  );
}
