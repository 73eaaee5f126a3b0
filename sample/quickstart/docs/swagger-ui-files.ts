import { createRequire } from 'node:module';

// Swagger UI comes with @nestjs/swagger, so it is looked up from there.
const resolve = createRequire(createRequire(import.meta.url).resolve('@nestjs/swagger')).resolve;

const START = `SwaggerUIBundle({ url: '/docs-json', dom_id: '#swagger-ui', deepLinking: true, validatorUrl: null });`;

/** The page. It holds no script and no style of its own, so that its policy need not allow inline code. */
export const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Quickstart user directory</title>
<link rel="icon" href="/docs/assets/favicon-32x32.png">
<link rel="stylesheet" href="/docs/assets/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/assets/start.js"></script>
</body>
</html>
`;

/** What the page's own Content-Security-Policy allows: files of this origin, and the images inside the style sheet. */
export const PAGE_POLICY = {
  'default-src': ["'none'"],
  'script-src': ["'self'"],
  'style-src': ["'self'"],
  'img-src': ["'self'", 'data:'],
  'connect-src': ["'self'"],
  'base-uri': ["'none'"],
  'form-action': ["'none'"],
  'frame-ancestors': ["'none'"],
};

export interface Asset {
  readonly type: string;
  readonly content: string | { readonly path: string };
}

/** The files that the page loads, by name: a closed list, so that no path of a client's making is ever opened. */
export const ASSETS: ReadonlyMap<string, Asset> = new Map([
  ['start.js', { type: 'text/javascript; charset=utf-8', content: START }],
  ['swagger-ui-bundle.js', file('swagger-ui-bundle.js', 'text/javascript; charset=utf-8')],
  ['swagger-ui.css', file('swagger-ui.css', 'text/css; charset=utf-8')],
  ['favicon-32x32.png', file('favicon-32x32.png', 'image/png')],
]);

function file(name: string, type: string): Asset {
  return { type, content: { path: resolve(`swagger-ui-dist/${name}`) } };
}
