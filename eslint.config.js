import tseslint from 'typescript-eslint';

const node = [
  'node:*',
  'fs',
  'path',
  'crypto',
  'os',
  'pg',
  'postgres',
  'pino',
  '@supabase/*',
  '@temporalio/client',
  '@temporalio/worker',
  '@temporalio/activity',
];

/** The floors of src, from the top. A folder imports from floors below its own only; config.ts and errors.ts lie under all. */
export const FLOORS = [
  ['cli'],
  ['gateway'],
  ['schedules', 'runs', 'push'],
  ['workflows'],
  ['activities'],
  ['imports', 'staging', 'local'],
  ['anomalies', 'kinds'],
  ['database', 'temporal', 'webhooks'],
  ['sources'],
  ['messages', 'values', 'settings', 'observability'],
];
const floors = FLOORS.flatMap((floor, i) =>
  floor.flatMap((folder) =>
    ['../', '../../'].map((up, depth) => {
      const above = [
        ...FLOORS.slice(0, i).flat(),
        ...floor.filter((other) => other !== folder),
        folder === 'cli' ? 'client\\.ts' : 'client\\.ts|worker\\.ts',
      ];
      const regex = `^${up.replaceAll('.', '\\.')}(?:${above.join('|')})(?:/|$)`;
      return {
        files: [`src/${folder}/${'*/'.repeat(depth)}*.ts`],
        rules: {
          'no-restricted-imports': ['error', { patterns: [{ regex, message: 'Arrows run down: see FLOORS.' }] }],
          'no-restricted-syntax': [
            'error',
            {
              selector: `ImportExpression[source.value=/${regex.replaceAll('/', '\\/')}/]`,
              message: 'Arrows run down: see FLOORS.',
            },
          ],
        },
      };
    }),
  ),
);

export default tseslint.config(
  ...floors,
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
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            { group: node, message: 'Workflows are deterministic: do this in an activity.' },
            {
              group: [
                'activities',
                'database',
                'kinds',
                'sources',
                'staging',
                'values',
                'temporal',
                'observability',
                'imports',
              ]
                .map((folder) => `**/${folder}/**`)
                .concat('**/config.ts'),
              allowTypeImports: true,
              message: 'Import types only.',
            },
          ],
        },
      ],
      'no-restricted-globals': ['error', 'process', 'Buffer', 'setImmediate', 'fetch', 'performance'],
    },
  },
);
