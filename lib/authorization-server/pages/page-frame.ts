import { Html, html } from './html.js';
import type { PageView } from './page-views.js';

const STYLE = `
:root { color-scheme: light dark; --line: #8888; }
* { box-sizing: border-box; }
body { margin: 0; font: 1rem/1.5 system-ui, sans-serif; background: Canvas; color: CanvasText; }
main { max-width: 28rem; margin: 6vh auto; padding: 1.5rem; border: 1px solid var(--line); border-radius: .75rem; }
header { font-weight: 600; opacity: .8; }
h1 { font-size: 1.4rem; line-height: 1.25; margin: .5rem 0 1rem; overflow-wrap: anywhere; }
label, legend { display: block; font-weight: 600; margin: .75rem 0 .25rem; }
input[type=text], input[type=password] { width: 100%; font: inherit; padding: .6rem; border: 1px solid var(--line);
  border-radius: .4rem; background: Field; color: FieldText; }
fieldset { border: 0; padding: 0; margin: 0; } legend { padding: 0; }
.choice { display: flex; gap: .6rem; font-weight: 400; margin: .5rem 0; }
.choice small, .facts { opacity: .8; } .facts { margin: .5rem 0; }
.link { border: 0; padding: 0; font-weight: 400; text-decoration: underline; }
.choice input { width: 1.2rem; height: 1.2rem; margin: .15rem 0 0; flex: none; accent-color: var(--accent); }
button { font: inherit; font-weight: 600; padding: .6rem 1.2rem; border-radius: .4rem; border: 1px solid var(--accent);
  background: transparent; color: CanvasText; cursor: pointer; }
button.main { background: var(--accent); color: var(--on-accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.actions { display: flex; gap: .75rem; justify-content: flex-end; flex-wrap: wrap; margin-top: 1.25rem; }
.last-first { flex-direction: row-reverse; justify-content: flex-start; }
.note { border-left: 4px solid var(--accent); padding: .25rem .75rem; margin: 1rem 0; }
.problem { border-left-color: #b3261e; }
.apps { list-style: none; padding: 0; } .apps > li { border-top: 1px solid var(--line); padding: .75rem 0; }
.apps h2 { font-size: 1.1rem; margin: 0; overflow-wrap: anywhere; } .apps ul { margin: .25rem 0; padding-left: 1.2rem; }
@media (max-width: 30rem) { main { margin: 0; border: 0; } }
`;

/** Black or white, whichever stands out more (WCAG 2.2, 1.4.3). @param color such as `#0b57d0` */
function textOn(color: string): string {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? '#000' : '#fff';
}

/** What the standard pages have in common. */
export function page({ theme, nonce }: PageView, title: string, content: Html): Html {
  const { accent } = theme;
  const style = new Html(
    STYLE.replaceAll('var(--accent)', accent).replaceAll('var(--on-accent)', textOn(accent)),
  );
  return html`<!doctype html>
    <html lang="${theme.language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} – ${theme.name}</title>
        <style nonce="${nonce}">
          ${style}
        </style>
      </head>
      <body>
        <main>
          <header>${theme.name}</header>
          <h1>${title}</h1>
          ${content}
        </main>
      </body>
    </html> `;
}
