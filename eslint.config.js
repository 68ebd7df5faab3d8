import js from '@eslint/js'
import { defineConfig } from 'eslint/config'
import tseslint from 'typescript-eslint'
import imports from './scripts/imports-rule.js'

const env = { object: 'process', property: 'env', message: 'Only src/lib/system and src/lib/base-command.ts read the environment.' }
const exit = { object: 'process', property: 'exit', message: 'Set process.exitCode: what is still being written would be lost.' }
const timeout = { object: 'AbortSignal', property: 'timeout', message: 'Node 20 may lose it: timeLimit of src/lib/stop.ts.' }

export default defineConfig(
  { ignores: ['dist/', 'dist-test/', 'bundle/', 'coverage/', 'demo/', 'test/captures/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // The compiler says it, and knows more.
      '@typescript-eslint/no-unused-vars': 'off',
      '@typescript-eslint/no-floating-promises': [
        'error',
        { allowForKnownSafeCalls: [{ from: 'package', name: ['test', 'describe', 'it', 'before', 'after'], package: 'node:test' }] },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/only-throw-error': 'error',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-empty': ['error', { allowEmptyCatch: false }],
      'no-console': 'error',
      // Foreign texts are full of control characters: naming them is what the code is for.
      'no-control-regex': 'off',
      // Fakes of asynchronous interfaces often have nothing to wait for.
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    files: ['**/*.js', '**/*.mjs'],
    languageOptions: {
      globals: Object.fromEntries(
        ['process', 'console', 'URL', 'Buffer', 'setTimeout', 'setInterval', 'clearTimeout', 'performance', 'setImmediate'].map((name) => [
          name,
          'readonly',
        ]),
      ),
    },
  },
  {
    files: ['bin/*.js'],
    languageOptions: { sourceType: 'commonjs', globals: { require: 'readonly', module: 'writable', __dirname: 'readonly' } },
  },
  {
    files: ['src/**/*.ts'],
    plugins: { house: { rules: { imports } } },
    rules: {
      'house/imports': 'error',
      'no-restricted-properties': ['error', env, exit, timeout],
      'no-restricted-globals': ['error', { name: 'fetch', message: 'Only src/lib/system opens connections.' }],
      'no-restricted-imports': [
        'error',
        { paths: ['node:process', 'process'].map((name) => ({ name, message: 'Use the global, so that the rules about it hold.' })) },
      ],
    },
  },
  {
    files: ['test/**/*.ts'],
    ignores: ['test/helpers/fast-check.ts'],
    rules: {
      'no-restricted-properties': ['error', timeout],
      'no-restricted-imports': [
        'error',
        { paths: [{ name: 'fast-check', message: 'test/helpers/fast-check.ts: the same examples each time.' }] },
      ],
    },
  },
  {
    files: ['src/lib/system/**/*.ts', 'src/lib/base-command.ts'],
    rules: { 'no-restricted-properties': ['error', exit, timeout] },
  },
)
