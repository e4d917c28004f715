/** The forms in which receivers take a message: by their addresses, since each service has its own. */

/** What is to be told: a document for programs, and the same as a sentence or two for people. */
export interface WebhookMessage {
  readonly document: object;
  readonly text: string;
}

/** Discord takes 2,000 characters, the others more than anybody reads. */
const LONGEST_TEXT = 1900;

/** The body of a POST: Slack, Teams and Discord have forms of their own, any other receiver gets the document. */
export function bodyFor(url: URL, { document, text }: WebhookMessage): object {
  const short = text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)} ...` : text;
  switch (serviceOf(url)) {
    case 'slack':
      return { text: short.replace(/[&<>]/g, (char) => SLACK[char]!) };
    case 'discord':
      return { content: plainMarkdown(short), allowed_mentions: { parse: [] } };
    case 'teams':
      return teamsCard(plainMarkdown(short).replaceAll('\n', '\n\n'));
    default:
      return document;
  }
}

const within = (host: string, domain: string): boolean => host === domain || host.endsWith(`.${domain}`);

function serviceOf({ hostname: host, pathname }: URL): 'slack' | 'discord' | 'teams' | undefined {
  const is = (...domains: string[]): boolean => domains.some((domain) => within(host, domain));
  if (is('slack.com', 'slack-gov.com')) return 'slack';
  // Discord takes Slack's form below its own address.
  if (is('discord.com', 'discordapp.com')) return pathname.endsWith('/slack') ? 'slack' : 'discord';
  // Connectors of Office 365, and workflows of Power Automate that took their place.
  if (is('webhook.office.com', 'outlook.office.com', 'logic.azure.com', 'powerplatform.com')) return 'teams';
  return undefined;
}

const SLACK: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/** Names of tenants are no links, mentions or headings. */
const plainMarkdown = (text: string): string => text.replace(/[\\*_~`|<>[\]()#]/g, String.raw`\$&`);

const teamsCard = (text: string): object => ({
  type: 'message',
  attachments: [
    {
      contentType: 'application/vnd.microsoft.card.adaptive',
      contentUrl: null,
      content: {
        $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
        type: 'AdaptiveCard',
        version: '1.4',
        body: [{ type: 'TextBlock', text, wrap: true }],
      },
    },
  ],
});
