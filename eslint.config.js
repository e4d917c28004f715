import tseslint from 'typescript-eslint';

const node = ['node:*', 'fs', 'path', 'crypto', 'os', 'pg', 'postgres', 'pino', '@supabase/*', '@temporalio/client', '@temporalio/worker', '@temporalio/activity'];

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', '.intake/', 'bench/.data/'] },
  ...tseslint.configs.recommended,
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      eqeqeq: 'error',
      'no-console': 'off',
    },
  },
  {
    // A workflow is replayed: nothing of Node, no activity's code, no kind, no backend; types alone may come from there.
    files: ['src/workflows/**/*.ts'],
    ignores: ['src/workflows/bundle.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': ['error', {
        patterns: [
          { group: node, message: 'Workflows are deterministic: do this in an activity.' },
          { group: ['../activities/*', '../backends/*', '../kinds/*', '../csv/*', '../values/*', '../config.ts', '../log.ts'], allowTypeImports: true, message: 'Import types only.' },
        ],
      }],
      'no-restricted-globals': ['error', 'process', 'Buffer', 'setImmediate', 'fetch', 'performance'],
    },
  },
);
