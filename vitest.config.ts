import { defineConfig } from 'vitest/config';

// With SUT=dist the package name resolves through "exports" to the built files: exact coverage, and what users get.
const dist = process.env['SUT'] === 'dist';
const source = (path: string) => `${import.meta.dirname}/lib/${path}`;

export default defineConfig({
  resolve: {
    tsconfigPaths: !dist,
    alias: [
      // Vite would take the build that Node does not, and there would be two of it beside each other.
      { find: /^graphql$/, replacement: 'graphql/index.js' },
      // The benchmarks and the samples have projects of their own, which take the package as it was built last.
      ...(dist
        ? []
        : [
            { find: /^nestjs-api-security$/, replacement: source('index.ts') },
            { find: /^nestjs-api-security\/([a-z-]+)$/, replacement: source('$1/index.ts') },
          ]),
    ],
  },
  test: {
    include: ['test/**/*.spec.ts'],
    setupFiles: ['./test/setup.ts'],
    pool: 'forks',
    isolate: false,
    maxWorkers: 2,
    testTimeout: 30_000,
    // The first run on a machine may have to install a database server.
    hookTimeout: 300_000,
    coverage: { provider: 'v8', include: ['dist/**/*.js'], reporter: ['text', 'lcov'] },
  },
});
