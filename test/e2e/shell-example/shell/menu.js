/** The apps that the menu shows. */
export const apps = ['deployments', 'reports']
